import { describe, expect, test } from 'vitest'
import { added, BATCH_BYTES, BATCH_EVENTS, deliver, IDLE, LAST_BYTES, SENDING_MS, wakeBy, type Delivery } from './delivery'
import { settle } from './running'
import { chances, Tab, World } from './testing/world'
import type { Kept } from './types'

const STORM = { lostBefore: 0.2, lostAfter: 0.2, busy: 0.2 }
const HOUR_MS = 3_600_000
const SETTINGS = settle('key', { host: 'https://events.example' })
const N_LIVES = 200
// Every run tries other lives; a failure names its seed.
const SEED = Math.floor(Math.random() * 2 ** 31)

/** Some tabs of one site live through a storm: they open, work, hide, close and crash. Return what they did. */
function live(world: World, chance: () => number): string[] {
  const made: string[] = []
  const tabs = [new Tab(world, 't0')]
  world.weather = STORM
  for (let n = 1; n <= 60; n++) {
    const tab = tabs[Math.floor(chance() * tabs.length)]!
    const luck = chance()
    if (luck < 0.6) made.push(tab.track())
    else if (luck < 0.68) tab.hear({ kind: 'hidden', isLeaving: false })
    else if (luck < 0.76) tab.hear({ kind: 'shown' })
    else if (luck < 0.8) tab.hear({ kind: 'online' })
    else if (luck < 0.9) tabs.push(new Tab(world, `t${n}`))
    else if (tabs.length > 1) {
      tab.die(chance() < 0.5)
      tabs.splice(tabs.indexOf(tab), 1)
    }
    world.pass(chance() * 3_000)
  }
  return made
}

describe('delivery, of many tabs in a storm', () => {
  test.each(Array.from({ length: N_LIVES }, (_, n) => SEED + n))('nothing is lost: seed %i', (seed) => {
    const chance = chances(seed)
    const world = new World(chance)
    const made = live(world, chance)
    world.weather = { lostBefore: 0, lostAfter: 0, busy: 0 }
    new Tab(world, 'last')
    world.pass(HOUR_MS)
    expect([...world.server.keys()].sort(), 'all that was made is on the server').toEqual(made.sort())
    expect(world.lost, 'nothing was forgotten before the server had it').toEqual([])
    expect([...world.kept.keys()], 'nothing waits for ever').toEqual([])
  })

  test.each(Array.from({ length: N_LIVES }, (_, n) => SEED + n))('in calm weather nothing goes twice: seed %i', (seed) => {
    const chance = chances(seed)
    const world = new World(chance)
    const tabs = [new Tab(world, 'a'), new Tab(world, 'b'), new Tab(world, 'c')]
    for (let n = 0; n < 60; n++) {
      tabs[Math.floor(chance() * 3)]!.track()
      world.pass(chance() * 600)
    }
    world.pass(HOUR_MS)
    expect([...world.server.values()].every((n) => n === 1)).toBe(true)
    expect(world.server.size).toBe(60)
  })

  test('what one tab could not send while the server was away, no other sends: it is alive', () => {
    const world = new World(chances(SEED))
    world.weather = { lostBefore: 1, lostAfter: 0, busy: 0 }
    const tabs = [new Tab(world, 'a'), new Tab(world, 'b')]
    tabs.forEach((tab) => tab.track())
    world.pass(120_000)
    world.weather = { lostBefore: 0, lostAfter: 0, busy: 0 }
    world.pass(HOUR_MS)
    expect([...world.server.entries()].sort()).toEqual([['a-0', 1], ['b-0', 1]])
  })
})

describe('delivery, step by step', () => {
  const own = (key: string, bytes = 100): Kept => ({ key, bytes, heldUntil: 0 })
  const keysOf = (kept: readonly Kept[]) => kept.map((one) => one.key)

  test('a batch has a bound in events and in bytes', () => {
    const many = Array.from({ length: BATCH_EVENTS + 1 }, (_, n) => own(`k${n}`))
    const large = [own('a', BATCH_BYTES - 1), own('b', 2)]
    const sent = (kept: Kept[]) => deliver(IDLE, { kind: 'looked', kept, isLocked: false }, 0)[0].sending
    expect(sent(many)).toEqual(keysOf(many).slice(0, BATCH_EVENTS))
    expect(sent(large)).toEqual(['a'])
  })

  test('what goes with the page has room for what is under way already', () => {
    const kept = [own('a', LAST_BYTES - 1_000), own('b', 900), own('c', 200)]
    const [next, effects] = deliver({ ...IDLE, phase: 'sending', sending: ['a'] }, { kind: 'listed', kept }, 0)
    expect(next.last).toEqual(['b'])
    expect(effects).toEqual([{ kind: 'send', keys: ['b'], isLast: true }])
  })

  test('nothing is sent before the server wants it', () => {
    const answer = { kind: 'answered', keys: ['a'], status: 503, retryAfterMs: 30_000, chance: 0 } as const
    const [waiting] = deliver({ ...IDLE, phase: 'sending', sending: ['a'] }, answer, 1_000)
    expect(deliver(waiting, { kind: 'due' }, 30_999)[1]).toEqual([{ kind: 'wake', at: 31_000 }])
    expect(deliver(waiting, { kind: 'due' }, 31_000)[1]).toEqual([{ kind: 'look' }])
  })

  const answer = (keys: string[], status: number) => ({ kind: 'answered', keys, status, retryAfterMs: 0, chance: 0 }) as const

  test('a tab tells the others how long it looks after its events: for the answer, then for the next try', () => {
    const [sending, sent] = deliver(IDLE, { kind: 'looked', kept: [own('a')], isLocked: false }, 1_000)
    const [, failed] = deliver(sending, answer(['a'], 0), 2_000)
    expect(sent[0]).toEqual({ kind: 'claim', until: 1_000 + SENDING_MS })
    expect(failed[0]).toEqual({ kind: 'claim', until: 2_500 })
    expect(deliver(IDLE, { kind: 'looked', kept: [], isLocked: false }, 3_000)[1]).toContainEqual({ kind: 'claim', until: 0 })
  })

  test('what went as the page was hidden is left alone until there is an answer', () => {
    const hidden = { ...IDLE, last: ['a'], nKept: 2 }
    const kept = [own('a'), own('b')]
    expect(deliver(hidden, { kind: 'looked', kept, isLocked: false }, 0)[0].sending).toEqual(['b'])
    const [answered] = deliver(hidden, answer(['a'], 0), 0)
    expect(answered.last).toEqual([])
    expect(deliver(answered, { kind: 'looked', kept, isLocked: false }, 9_000)[0].sending).toEqual(['a', 'b'])
  })

  test('a page that is shown again looks at once', () => {
    expect(deliver({ ...IDLE, isHidden: true, dueAt: 90_000 }, { kind: 'shown' }, 5)[1]).toEqual([{ kind: 'wake', at: 5 }])
  })

  test('after a success batches are as large as before', () => {
    const [next] = deliver({ ...IDLE, phase: 'sending', sending: ['a'], most: 1 }, answer(['a'], 200), 0)
    expect(next.most).toBe(BATCH_EVENTS)
  })

  test('a round ends by saying whether anything waits', () => {
    const empty = deliver(IDLE, { kind: 'looked', kept: [], isLocked: false }, 0)[1]
    const failed = deliver({ ...IDLE, phase: 'sending', sending: ['a'], nKept: 1 }, answer(['a'], 503), 0)[1]
    expect(empty).toContainEqual({ kind: 'settle', isEmpty: true })
    expect(failed).toContainEqual({ kind: 'settle', isEmpty: false })
  })

  test('one bad event of many is found by halves, and alone is dropped', () => {
    const isBad = (key: string) => key === 'k37'
    let kept = Array.from({ length: 100 }, (_, n) => own(`k${n}`))
    let state: Delivery = IDLE
    const dropped: string[] = []
    for (let n = 0; kept.length && n < 100; n++) {
      ;[state] = deliver(state, { kind: 'looked', kept, isLocked: false }, 0)
      const keys = state.sending
      const status = keys.some(isBad) ? 400 : 200
      const [next, effects] = deliver(state, { kind: 'answered', keys, status, retryAfterMs: 0, chance: 0 }, 0)
      state = next
      for (const effect of effects) {
        if (effect.kind !== 'forget') continue
        if (status === 400) dropped.push(...effect.keys)
        kept = kept.filter((one) => !effect.keys.includes(one.key))
      }
    }
    expect(kept).toEqual([])
    expect(dropped).toEqual(['k37'])
  })

  test('a bad event that goes as the page is hidden is found by halves, too', () => {
    const isBad = (key: string) => key === 'k3'
    let kept = Array.from({ length: 8 }, (_, n) => own(`k${n}`))
    let state: Delivery = { ...IDLE, isHidden: true }
    let n = 0
    for (; kept.length && n < 50; n++) {
      const [sent] = deliver(state, { kind: 'listed', kept }, 0)
      const [next, effects] = deliver(sent, answer([...sent.last], sent.last.some(isBad) ? 400 : 200), 0)
      state = next
      const forgotten = effects.flatMap((effect) => (effect.kind === 'forget' ? effect.keys : []))
      kept = kept.filter((one) => !forgotten.includes(one.key))
    }
    expect([kept, n < 20]).toEqual([[], true])
  })

  test('a hidden page, too, waits as long as the server wants before its next event goes', () => {
    const waiting = { ...IDLE, isHidden: true, notBefore: 30_000 }
    const kinds = (at: number) => added(waiting, at, SETTINGS)[1].map((effect) => effect.kind)
    expect(kinds(29_999)).not.toContain('list')
    expect(kinds(30_000)).toContain('list')
  })

  test('a clock that was set back does not silence the page until it has caught up', () => {
    const day = 86_400_000
    const answered = { kind: 'answered', keys: ['a'], status: 503, retryAfterMs: 0, chance: 0 } as const
    const [waiting] = deliver({ ...IDLE, phase: 'sending', sending: ['a'] }, answered, day)
    expect(deliver(waiting, { kind: 'due' }, 1_000)[1]).toEqual([{ kind: 'look' }])
    expect(wakeBy({ ...waiting, dueAt: null }, 1_000)[1]).toEqual([{ kind: 'wake', at: 1_000 }])
  })

  test.each([401, 403, 404, 405])('what the operator can mend is kept: %i', (status) => {
    const answer = { kind: 'answered', keys: ['a'], status, retryAfterMs: 0, chance: 0 } as const
    const [, effects] = deliver({ ...IDLE, phase: 'sending', sending: ['a'] }, answer, 0)
    expect(effects.map((effect) => effect.kind)).toContain('warn')
    expect(effects.map((effect) => effect.kind)).not.toContain('forget')
  })
})
