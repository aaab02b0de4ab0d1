/** A world for tests: tabs, what they share, a clock, and a server behind a network that fails by a seed. */

import { begin, readKey, step, type State } from '../tracker'
import { settle } from '../running'
import type { Effect, Event, Input, Kept, Place, Settings } from '../types'

export const PLACE: Place = { url: 'https://shop.example/a?utm_source=news', referrer: '', title: 'A' }
export const DEVICE = { locale: 'en', timezone: 'UTC', screen: { width: 1, height: 1 } }

/** Numbers in [0, 1), the same for a seed (mulberry32). */
export function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How often what goes wrong, in [0, 1]. */
export interface Weather {
  readonly lostBefore: number
  readonly lostAfter: number
  readonly busy: number
}

export const CALM: Weather = { lostBefore: 0, lostAfter: 0, busy: 0 }

interface Due {
  readonly at: number
  readonly run: () => void
}

/** Everything outside the trackers. */
export class World {
  at = 1_800_000_000_000
  weather: Weather = CALM
  /** Events that the server has, by messageId: how often each came. */
  readonly server = new Map<string, number>()
  readonly kept = new Map<string, string>()
  readonly claims = new Map<string, number>()
  /** What was forgotten though the server did not have it: must stay empty. */
  readonly lost: string[] = []
  readonly tabs = new Set<Tab>()
  holder: Tab | null = null
  readonly waiting: Tab[] = []
  private due: Due[] = []

  constructor(readonly chance: () => number) {}

  later(ms: number, run: () => void): Due {
    const due = { at: this.at + ms, run }
    this.due.push(due)
    return due
  }

  cancel(due: Due | null): void {
    this.due = this.due.filter((each) => each !== due)
  }

  /** Let time pass; everything due happens, in its order. */
  pass(ms: number): void {
    const until = this.at + ms
    for (;;) {
      const next = this.due.filter((each) => each.at <= until).sort((one, other) => one.at - other.at)[0]
      if (!next) break
      this.cancel(next)
      this.at = Math.max(this.at, next.at)
      next.run()
    }
    this.at = until
  }

  grant(): void {
    const next = this.holder === null ? this.waiting.shift() : undefined
    if (!next) return
    this.holder = next
    this.later(50, () => next.lookAgain())
  }
}

/** One tab: a tracker's state, and what performs its effects. */
export class Tab {
  state: State
  nMade = 0
  private alarm: Due | null = null
  private isDead = false

  constructor(
    readonly world: World,
    readonly name: string,
    options: Partial<Settings> = {},
  ) {
    const settings: Settings = { ...settle('key', { host: 'https://events.example' }), ...options }
    const found = { device: DEVICE, tab: name.padEnd(8, '0'), person: null, anonymousId: `someone-${name}`, preferences: null }
    const [state, effects] = begin(settings, { ...found, hasSaidYes: false, isRefused: false, isHidden: false }, world.at)
    this.state = state
    world.tabs.add(this)
    effects.forEach((effect) => this.perform(effect))
  }

  track(): string {
    const messageId = `${this.name}-${this.nMade++}`
    this.hear({ kind: 'call', made: { call: { type: 'track', event: 'Did', properties: {} }, messageId, place: PLACE, at: this.world.at } })
    return messageId
  }

  /** Die; with a last word, as a tab that is closed, or without, as one that crashes. */
  die(hasLastWord: boolean): void {
    if (hasLastWord) this.hear({ kind: 'hidden', isLeaving: true })
    this.isDead = true
    this.world.cancel(this.alarm)
    this.world.tabs.delete(this)
    this.unlock()
  }

  lookAgain(): void {
    this.perform({ kind: 'look' })
  }

  hear(input: Input): void {
    if (this.isDead) return
    const [state, effects] = step(this.state, input, this.world.at)
    this.state = state
    effects.forEach((effect) => this.perform(effect))
  }

  private perform(effect: Effect): void {
    const { world } = this
    switch (effect.kind) {
      case 'keep':
        return void world.kept.set(effect.key, effect.text)
      case 'trim':
        return [...world.kept.keys()].sort().slice(0, -effect.most).forEach((key) => world.kept.delete(key))
      case 'forget':
        for (const key of effect.keys) {
          const text = world.kept.get(key)
          if (text && !world.server.has((JSON.parse(text) as Event).messageId)) world.lost.push(key)
          world.kept.delete(key)
        }
        return
      case 'wake':
        world.cancel(this.alarm)
        this.alarm = world.later(Math.max(0, effect.at - world.at), () => this.hear({ kind: 'due' }))
        return
      case 'look':
        return this.hear({ kind: 'looked', kept: this.list(), isLocked: world.holder === this })
      case 'list':
        return this.hear({ kind: 'listed', kept: this.list() })
      case 'lock':
        world.waiting.push(this)
        return world.grant()
      case 'unlock':
        return this.unlock()
      case 'claim':
        return void world.claims.set(this.state.tab, effect.until)
      case 'send':
        return this.send(effect.keys)
      default:
        return
    }
  }

  private list(): Kept[] {
    return [...this.world.kept.keys()].sort().map((key) => {
      const [at, tab] = readKey(key)
      const heldUntil = tab === this.state.tab ? 0 : Math.max(at, this.world.claims.get(tab) ?? 0) + 5_000
      return { key, bytes: this.world.kept.get(key)!.length, heldUntil }
    })
  }

  private send(keys: readonly string[]): void {
    const { world } = this
    const { lostBefore, lostAfter, busy } = world.weather
    const luck = world.chance()
    const isBusy = luck < busy
    const isLost = luck >= busy && luck < busy + lostBefore
    const isUnheard = luck >= busy + lostBefore && luck < busy + lostBefore + lostAfter
    const texts = keys.map((key) => world.kept.get(key)).filter((text) => text !== undefined)
    world.later(1 + world.chance() * 200, () => {
      if (!isBusy && !isLost) {
        for (const text of texts) {
          const { messageId } = JSON.parse(text) as Event
          world.server.set(messageId, (world.server.get(messageId) ?? 0) + 1)
        }
      }
      const status = isBusy ? 503 : isLost || isUnheard ? 0 : 200
      this.hear({ kind: 'answered', keys, status, retryAfterMs: isBusy ? 1000 : 0, chance: world.chance() })
    })
  }

  private unlock(): void {
    const { world } = this
    if (world.holder === this) world.holder = null
    world.waiting.splice(0, world.waiting.length, ...world.waiting.filter((tab) => tab !== this))
    world.grant()
  }
}
