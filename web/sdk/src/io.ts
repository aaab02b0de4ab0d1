/** The world: storage, network, timers, locks and the page. Nothing else in the core touches any of them. */

import { attempt } from './attempt'
import { cleanUrl } from './context'
import { ANSWER_MS } from './delivery'
import { LONGEST_RETRY_AFTER_MS, readRetryAfter } from './sending'
import { openStore, readJson, type Store } from './storage'
import { keepCookie, readCookie, removeCookie } from './cookies'
import { never, type Device, type Effect, type Input, type Kept, type Person, type Place, type Preferences, type Settings } from './types'
import { readKey, TAB_CHARS, type Found } from './tracker'

// An event is its tab's own for so long after it was made, and after the tab meant to try again. Then the tab has gone.
const LEFT_MS = 5_000
// What one tab does to storage, another's process sees a little later.
const SEEN_MS = 50
// Half of what requests that outlive a page may have together, 64 KiB: the other half is for its last words.
const SMALL_BYTES = 32_000
const EVENT = 'q_'
const CLAIM = 'c_'
const LEASE = 'lease'
// What tabs tell one another.
const SHARED = ['person', 'consent']

export interface World {
  readonly now: () => number
  readonly newId: () => string
  readonly place: () => Place
  readonly find: () => Found
  readonly perform: (effect: Effect) => void
  /** Call back at the start, at each navigation inside the page, and when the page comes back from the cache. */
  readonly onPage: (hear: () => void) => void
}

/** Open the world of one tracker. `hear` is told of what happens there. */
export function openWorld(settings: Settings, hear: (input: Input) => void): World {
  const store = openStore(settings)
  const tab = newId().slice(0, TAB_CHARS)
  const mailbox = new Mailbox(settings, store, tab, hear)
  const warned = new Set<string>()
  const warn = (code: string, text: string) => {
    if (!warned.has(code)) console.warn(`sojourn: ${text} [${code}]`)
    warned.add(code)
  }
  let referrer = document.referrer
  let href = location.href
  let url = here()
  const place = (): Place => {
    // Most calls are made where the one before was, and reading an address costs more than the rest.
    if (location.href !== href) {
      href = location.href
      if (here() !== url) [referrer, url] = [url, here()]
    }
    return { url, referrer, title: document.title }
  }
  listen(settings, store, hear, place)
  return {
    now: Date.now,
    newId,
    place,
    find: () => find(settings, store, tab),
    onPage: followPages,
    perform(effect) {
      switch (effect.kind) {
        case 'savePerson':
          store.set('person', JSON.stringify(effect.person))
          return keepCookie(settings, effect.person.anonymousId)
        case 'saveConsent':
          return store.set('consent', JSON.stringify(effect.preferences))
        case 'purge':
          store.set('consent', 'no') // other tabs hear of it
          // Where a yes is presumed the no has to outlive the page; where it is asked for, nothing has to.
          store.names('').forEach((name) => (settings.needsConsent || name !== 'consent') && store.remove(name))
          return removeCookie(settings)
        case 'trim': {
          const over = store.names(EVENT).slice(0, -effect.most)
          over.forEach(store.remove)
          return over.length ? warn('full', `more than ${effect.most} events wait; the oldest are dropped`) : undefined
        }
        case 'warn':
          return warn(effect.code, effect.text)
        case 'settle':
          return
        default:
          return mailbox.perform(effect)
      }
    },
  }
}

type Posting = Exclude<Effect, { kind: 'savePerson' | 'saveConsent' | 'purge' | 'trim' | 'warn' | 'settle' }>

/** What keeps and sends events. */
class Mailbox {
  private timer: ReturnType<typeof setTimeout> | undefined
  private release: (() => void) | undefined

  constructor(
    private readonly settings: Settings,
    private readonly store: Store,
    private readonly tab: string,
    private readonly hear: (input: Input) => void,
  ) {}

  perform(effect: Posting): void {
    switch (effect.kind) {
      case 'keep':
        return this.store.keep(EVENT + effect.key, effect.text)
      case 'forget':
        return effect.keys.forEach((key) => this.store.remove(EVENT + key))
      case 'wake':
        clearTimeout(this.timer)
        this.timer = setTimeout(() => this.hear({ kind: 'due' }), Math.max(0, effect.at - Date.now()))
        return
      case 'look':
        return this.hear({ kind: 'looked', kept: this.kept(), isLocked: this.release !== undefined })
      case 'lock':
        return this.lock()
      case 'unlock':
        this.release?.()
        this.release = undefined
        return
      case 'claim':
        if (effect.until) this.store.set(CLAIM + this.tab, String(effect.until))
        else this.store.remove(CLAIM + this.tab)
        return
      case 'list':
        return this.hear({ kind: 'listed', kept: this.kept() })
      case 'send':
        return void this.send(effect.keys, effect.isLast)
      default:
        return never(effect)
    }
  }

  /** Wait until no other tab sends what was left, and look then. */
  private lock(): void {
    const look = (release: () => void) => {
      this.release = release
      setTimeout(() => this.perform({ kind: 'look' }), SEEN_MS)
    }
    const locked = () => new Promise<void>(look)
    if ('locks' in navigator) navigator.locks.request(`sojourn ${this.settings.writeKey}`, locked).catch(() => this.lease(look))
    else this.lease(look)
  }

  /** Where there are no locks (a page without TLS), tabs agree by what they write; who wrote last has it. */
  private lease(look: (release: () => void) => void): void {
    const [holder, until] = (this.store.get(LEASE) ?? '').split(' ')
    if (holder !== this.tab && Number(until) > Date.now()) return void setTimeout(() => this.lease(look), LEFT_MS)
    this.store.set(LEASE, `${this.tab} ${Date.now() + ANSWER_MS + LEFT_MS}`)
    setTimeout(() => {
      if (this.store.get(LEASE)?.startsWith(this.tab)) look(() => this.store.remove(LEASE))
      else this.lease(look)
    }, SEEN_MS * (1 + Math.random()))
  }

  private kept(): Kept[] {
    const now = Date.now()
    return this.store.names(EVENT).map((name) => {
      const key = name.slice(EVENT.length)
      const [at, tab] = readKey(key)
      const claimed = Number(this.store.get(CLAIM + tab) ?? 0)
      // What lies in the future was written before the clock was set back: it holds nothing up.
      const heldUntil = tab === this.tab ? 0 : Math.max(at > now ? 0 : at, claimed > now + LONGEST_RETRY_AFTER_MS ? 0 : claimed) + LEFT_MS
      return { key, bytes: bytesOf(this.store.get(name) ?? ''), heldUntil }
    })
  }

  private async send(keys: readonly string[], isLast: boolean): Promise<void> {
    const events = keys.map((key) => this.store.get(EVENT + key)).filter((text) => text !== null)
    const sentAt = new Date().toISOString()
    const body = `{"writeKey":${JSON.stringify(this.settings.writeKey)},"sentAt":"${sentAt}","batch":[${events.join(',')}]}`
    const [status, retryAfterMs] = events.length ? await this.post(body, isLast) : [200, 0]
    this.hear({ kind: 'answered', keys, status, retryAfterMs, chance: Math.random() })
  }

  /** Post a body as text, so that a browser need not ask first; return the status, 0 for none, and what it says of waiting. */
  private async post(body: string, isLast: boolean): Promise<[number, number]> {
    const { host, writeKey } = this.settings
    const outlives = isLast || bytesOf(body) <= SMALL_BYTES
    if (isLast && !('keepalive' in Request.prototype)) {
      navigator.sendBeacon(`${host}/beacon/v1/batch?writeKey=${encodeURIComponent(writeKey)}`, body)
      return [0, 0] // nobody hears what became of it
    }
    const stop = new AbortController()
    const late = setTimeout(() => stop.abort(), ANSWER_MS)
    const request: RequestInit = { method: 'POST', body, keepalive: outlives, credentials: 'omit', signal: stop.signal }
    try {
      const answer = await fetch(`${host}/v1/batch`, { ...request, headers: { 'Content-Type': 'text/plain' } })
      // Read to its end, or the request takes room from the next one that is to outlive the page; its status is enough.
      await answer.arrayBuffer().catch(() => null)
      return [answer.status, readRetryAfter(answer.headers.get('Retry-After'), Date.now())]
    } catch {
      return [0, 0]
    } finally {
      clearTimeout(late)
    }
  }
}

function find(settings: Settings, store: Store, tab: string): Found {
  const consent = store.get('consent')
  const kept = readJson<Person>(store.get('person'))
  // The cookie is shared by a site's subdomains, storage is not: of two ids the cookie's is everybody's. Where somebody
  // signed out on another subdomain, who was signed in here is not who comes now.
  const anonymousId = readCookie(settings) ?? kept?.anonymousId ?? newId()
  const { doNotTrack, globalPrivacyControl } = navigator as Navigator & { globalPrivacyControl?: boolean }
  return {
    device: device(),
    tab,
    person: kept?.anonymousId === anonymousId ? kept : null,
    anonymousId,
    preferences: readJson<Preferences>(consent),
    hasSaidYes: consent !== null && consent !== 'no',
    isRefused: consent === 'no' || (settings.respectGpc && globalPrivacyControl === true) || (settings.respectDnt && doNotTrack === '1'),
    isHidden: isHidden(),
  }
}

function device(): Device {
  const { width, height } = screen
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  return { locale: navigator.language, timezone: timeZone, screen: { width, height } }
}

function listen(settings: Settings, store: Store, hear: (input: Input) => void, place: () => Place): void {
  const told = (name: string, text: string | null) => {
    if (name === 'person') {
      // As it is now, not as it is told: two tabs that wrote at once would take each the other's.
      const person = readJson<Person>(store.get(name))
      if (person?.anonymousId) hear({ kind: 'person', person })
    } else if (text !== null) {
      const said = text !== 'no' && { ...readJson<Preferences>(text), analytics: true }
      hear({ kind: 'consent', said, isEcho: true, anonymousId: newId(), messageId: newId(), place: place() })
    }
  }
  let left: (string | null)[]
  document.addEventListener('visibilitychange', () => hear(isHidden() ? { kind: 'hidden', isLeaving: false } : { kind: 'shown' }))
  addEventListener('pagehide', () => {
    left = SHARED.map(store.get)
    hear({ kind: 'hidden', isLeaving: true })
  })
  addEventListener('pageshow', ({ persisted }) => {
    // In the back-forward cache a page hears nothing: what was said meanwhile is told as it comes back.
    if (persisted) SHARED.forEach((name, n) => store.get(name) !== left[n] && told(name, store.get(name) ?? 'no'))
    if (!isHidden()) hear({ kind: 'shown' })
  })
  addEventListener('online', () => hear({ kind: 'online' }))
  if (settings.storage === 'memory') return
  addEventListener('storage', ({ key, newValue }) => {
    if (key && newValue === null) store.removedElsewhere(key)
    SHARED.forEach((name) => key === store.nameOf(name) && told(name, newValue))
  })
}

/** Tell of each page somebody sees, once its title had time to change. */
function followPages(hear: () => void): void {
  let seen = ''
  const look = (isReplaced = false) => {
    if (document.readyState === 'loading') return document.addEventListener('DOMContentLoaded', () => look(), { once: true })
    setTimeout(() => {
      const before = seen
      seen = here()
      // Another query put in the place of the same page's (a campaign wiped away, a filter) is no other page.
      if (seen !== before && !(isReplaced && withoutQuery(seen) === withoutQuery(before))) hear()
    })
  }
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    const followed = function (this: History, ...args: Parameters<History['pushState']>) {
      const returned = original.apply(this, args)
      look(name === 'replaceState')
      return returned
    }
    attempt(() => (history[name] = followed)) // a page may have frozen it
  }
  addEventListener('popstate', () => look())
  addEventListener('hashchange', () => look())
  addEventListener('pageshow', (event) => {
    if (event.persisted) hear()
  })
  const isPrepared = (document as Document & { prerendering?: boolean }).prerendering
  if (isPrepared) document.addEventListener('prerenderingchange', () => look(), { once: true })
  else look()
}

function withoutQuery(address: string): string {
  return address.replace(/\?[^#]*/, '')
}

function here(): string {
  return cleanUrl(location.href)
}

function isHidden(): boolean {
  return document.visibilityState === 'hidden'
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

/** A random UUID, also where a page without TLS has no `randomUUID`. */
function newId(): string {
  if (crypto.randomUUID) return crypto.randomUUID()
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5')
}
