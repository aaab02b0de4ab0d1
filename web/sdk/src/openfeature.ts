/**
 * An OpenFeature provider for pages: live decisions, told anew when an event of the person changes them.
 *
 * It has the shape of `Provider` in `@openfeature/web-sdk`, which it does not import: a page that does brings it. All
 * flags are asked for at once (OFREP), kept, and answered from memory; the server's event stream says when to ask again.
 */

import { guarded } from './attempt'
import { nextTry, readRetryAfter } from './sending'
import type { Person, Properties } from './types'

export interface ProviderOptions {
  /** Where Sojourn listens. */
  readonly url: string
  /** A key of `decisions.keys`, of kind `browser`. */
  readonly key: string
  /** The page's tracker: it says who it is where the context does not, and hears which flags were used. */
  readonly sojourn?: { user(): Person; track(event: string, properties: Properties): void }
}

type Context = { readonly targetingKey?: string; readonly [name: string]: unknown }
type Metadata = Record<string, string | number | boolean>

interface Flag {
  readonly key: string
  readonly value?: unknown
  readonly variant?: string
  readonly reason?: string
  readonly metadata?: Metadata
  readonly errorCode?: string
  readonly errorDetails?: string
}

interface Bulk {
  readonly flags: readonly Flag[]
  readonly eventStreams?: readonly { readonly endpoint: { readonly requestUri: string }; readonly inactivityDelaySec?: number }[]
}

/** What `@openfeature/web-sdk` calls ResolutionDetails. Codes and reasons are its words; its enums are these texts. */
export interface Resolution<T> {
  readonly value: T
  readonly variant?: string
  readonly reason?: string
  readonly flagMetadata?: Metadata
  // The web SDK's enum, which only a cast reaches without importing it.
  readonly errorCode?: never
  readonly errorMessage?: string
}

// The SDK's handlers take details of their own type, which an import would bring along.
type Handler = (details?: any) => void
const DEFAULT_INACTIVITY_S = 120 // OFREP's own
const ANSWER_MS = 10_000 // as OFREP's own provider waits: a page that waits for its first answers must not wait for ever

/** The events of a provider, in the shape that the SDK listens to. */
class Events {
  private readonly handlers = new Map<string, Handler[]>()

  addHandler(type: string, handler: Handler): void {
    this.handlers.set(type, [...this.getHandlers(type), handler])
  }

  removeHandler(type: string, handler: Handler): void {
    this.handlers.set(type, this.getHandlers(type).filter((each) => each !== handler))
  }

  removeAllHandlers(type?: string): void {
    if (type === undefined) this.handlers.clear()
    else this.handlers.delete(type)
  }

  getHandlers(type: string): Handler[] {
    return this.handlers.get(type) ?? []
  }

  emit(type: string, details: object = {}): void {
    for (const handler of this.getHandlers(type)) guarded(() => handler(details))
  }

  setLogger(): this {
    return this
  }
}

/** `OpenFeature.setProvider(new SojournProvider({ url, key, sojourn }))`. */
export class SojournProvider {
  readonly metadata = { name: 'sojourn' } as const
  readonly runsOn = 'client' as const
  readonly events = new Events()
  private readonly options: ProviderOptions
  private context: Context = {}
  private flags = new Map<string, Flag>()
  private etag = ''
  private streamUrl = ''
  private inactivityMs = DEFAULT_INACTIVITY_S * 1000
  private stream: EventSource | null = null
  /** Asks again. */
  private retry: ReturnType<typeof setTimeout> | undefined
  /** Stops listening. */
  private quiet: ReturnType<typeof setTimeout> | undefined
  private nFailed = 0
  private nBroken = 0
  /** Of the newest question: an older one's answer is not of now. */
  private nAsked = 0
  private newest: Promise<void> = Promise.resolve()
  private asking = new AbortController()
  /** Of whom was asked last, and whose the flags are. */
  private askedOf: string | undefined
  private flagsOf: string | undefined
  private isReady = false
  /** The SDK was told of a failure, and not yet that it is over. */
  private isFailing = false
  private isClosed = false
  private readonly exposed = new Set<string>()
  private readonly onVisibility = () => this.follow()

  constructor(options: ProviderOptions) {
    this.options = options
  }

  /** Ask for all flags. Rejects where they cannot be had; it goes on trying, and says `PROVIDER_READY` when they are there. */
  async initialize(context: Context = {}): Promise<void> {
    this.context = context
    this.isClosed = false
    document.addEventListener('visibilitychange', this.onVisibility)
    await this.ask()
  }

  async onContextChange(_old: Context, context: Context): Promise<void> {
    this.context = context
    this.etag = '' // another person's answers are another stream's
    await this.ask()
  }

  async onClose(): Promise<void> {
    this.isClosed = true
    this.nAsked++
    this.newest = Promise.resolve()
    this.asking.abort()
    this.hush()
    clearTimeout(this.retry)
    clearTimeout(this.quiet)
    document.removeEventListener('visibilitychange', this.onVisibility)
  }

  resolveBooleanEvaluation(key: string, fallback: boolean, context: Context = {}): Resolution<boolean> {
    return this.resolve(key, fallback, context)
  }

  resolveStringEvaluation(key: string, fallback: string, context: Context = {}): Resolution<string> {
    return this.resolve(key, fallback, context)
  }

  resolveNumberEvaluation(key: string, fallback: number, context: Context = {}): Resolution<number> {
    return this.resolve(key, fallback, context)
  }

  resolveObjectEvaluation<T>(key: string, fallback: T, context: Context = {}): Resolution<T> {
    return this.resolve(key, fallback, context)
  }

  /** `client.track(...)` of OpenFeature is an event like any other. */
  track(event: string, _context: Context, details: Properties = {}): void {
    this.options.sojourn?.track(event, details)
  }

  private resolve<T>(key: string, fallback: T, context: Context): Resolution<T> {
    // Somebody signed out, or another tab did: the tracker tells the provider nothing, so it looks.
    if (this.isReady && this.who(this.context) !== this.askedOf) this.refetch()
    const flag = this.flags.get(key)
    if (!flag) return refuse(fallback, this.isReady ? 'FLAG_NOT_FOUND' : 'PROVIDER_NOT_READY', `there is no answer for ${key}`)
    if (flag.errorCode) return refuse(fallback, flag.errorCode, flag.errorDetails ?? '')
    if (typeof flag.value !== typeof fallback) {
      return refuse(fallback, 'TYPE_MISMATCH', `${key} is a ${typeof flag.value}, asked for as a ${typeof fallback}`)
    }
    this.expose(flag, context)
    return {
      value: flag.value as T,
      ...(flag.variant !== undefined && { variant: flag.variant }),
      ...(flag.reason !== undefined && { reason: flag.reason }),
      ...(flag.metadata !== undefined && { flagMetadata: flag.metadata }),
    }
  }

  /** Asking for all is no exposure; using what was drawn at random is, once, for whom it was drawn. */
  private expose(flag: Flag, context: Context): void {
    const who = this.who(this.context)
    const name = `${who} ${flag.key} ${flag.variant}`
    if (flag.reason !== 'SPLIT' || who !== this.flagsOf || this.exposed.has(name)) return
    this.exposed.add(name)
    const { targetingKey: _, targetingKeySignature: __, ...attributes } = context
    const id = flag.metadata?.['decision_id']
    this.options.sojourn?.track('Flag Exposed', { ...attributes, flag: flag.key, variant: flag.variant, ...(id !== undefined && { decision_id: id }) })
  }

  private who(context: Context): string | undefined {
    return context.targetingKey || this.options.sojourn?.user().anonymousId
  }

  /** Ask for all flags, and tell of those that changed. Rejects where there is no answer; then it asks again by itself. */
  private ask(): Promise<void> {
    return (this.newest = this.question())
  }

  private refetch(): void {
    this.ask().catch(() => {})
  }

  private async question(): Promise<void> {
    const n = ++this.nAsked
    clearTimeout(this.retry)
    const who = this.who(this.context)
    if (who !== this.askedOf) this.etag = ''
    this.askedOf = who
    const [status, retryAfterMs] = await this.answer(n, who)
    if (n !== this.nAsked) return this.newest
    if (status === 200 || status === 304) return this.succeed()
    this.nFailed++
    this.isFailing = true
    const isFinal = status >= 400 && status < 500 && status !== 429 && status !== 408
    if (!isFinal) this.retry = setTimeout(() => this.refetch(), nextTry(this.nFailed, retryAfterMs, Math.random()))
    if (this.isReady) this.events.emit('PROVIDER_STALE', { message: `no new decisions: ${status || 'no answer'}` })
    throw Object.assign(new Error(`sojourn: no decisions: ${status || 'no answer'}`), { code: isFinal ? 'PROVIDER_FATAL' : 'GENERAL' })
  }

  /** Return the status of an answer, 0 where there is none that can be read, and what it says of waiting, ms. */
  private async answer(n: number, who: string | undefined): Promise<[status: number, retryAfterMs: number]> {
    this.asking.abort() // an older question's answer is of no use
    const asking = (this.asking = new AbortController())
    const late = setTimeout(() => asking.abort(), ANSWER_MS)
    try {
      const answer = await this.post(who, asking.signal)
      const { headers, status } = answer
      const bulk = status === 200 ? ((await answer.json()) as Bulk) : null
      if (bulk && n === this.nAsked) this.take(bulk, headers.get('ETag') ?? '', who)
      return [status, readRetryAfter(headers.get('Retry-After'), Date.now())]
    } catch {
      return [0, 0]
    } finally {
      clearTimeout(late)
    }
  }

  private post(targetingKey: string | undefined, signal: AbortSignal): Promise<Response> {
    const { url, key } = this.options
    return fetch(under(url, '/ofrep/v1/evaluate/flags'), {
      method: 'POST',
      credentials: 'omit',
      signal,
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${key}`,
        ...(this.etag && { 'If-None-Match': this.etag }),
      },
      body: JSON.stringify({ context: { ...this.context, targetingKey } }),
    })
  }

  private take(bulk: Bulk, etag: string, who: string | undefined): void {
    const before = this.flags
    const wasReady = this.isReady
    this.flags = new Map(bulk.flags.map((flag) => [flag.key, flag]))
    this.etag = etag
    this.flagsOf = who
    const stream = bulk.eventStreams?.[0]
    const url = stream ? under(this.options.url, stream.endpoint.requestUri) : ''
    if (url !== this.streamUrl) this.hush()
    this.streamUrl = url
    this.inactivityMs = (stream?.inactivityDelaySec ?? DEFAULT_INACTIVITY_S) * 1000
    const flagsChanged = changed(before, this.flags)
    if (wasReady && flagsChanged.length) this.events.emit('PROVIDER_CONFIGURATION_CHANGED', { flagsChanged })
  }

  private succeed(): void {
    const hadFailed = this.isFailing
    this.nFailed = 0
    this.isReady = true
    this.isFailing = false
    if (hadFailed) this.events.emit('PROVIDER_READY')
    this.follow()
  }

  /** Listen while somebody sees the page, and a while longer. */
  private follow(): void {
    clearTimeout(this.quiet)
    if (this.isClosed || !this.isReady) return
    if (document.visibilityState === 'hidden') {
      this.quiet = setTimeout(() => this.hush(), this.inactivityMs)
    } else if (!this.stream) {
      this.listen()
    }
  }

  private listen(): void {
    if (!this.streamUrl || typeof EventSource === 'undefined') return
    const stream = (this.stream = new EventSource(this.streamUrl))
    stream.onopen = () => (this.nBroken = 0)
    stream.onmessage = (message) => {
      if (isRefetch(message.data, this.etag)) this.refetch()
    }
    stream.onerror = () => {
      // A stream that only broke is opened again by the browser, and says what changed since. One that is gone is asked for.
      if (stream.readyState !== EventSource.CLOSED || this.stream !== stream) return
      this.stream = null
      clearTimeout(this.retry)
      this.retry = setTimeout(() => this.refetch(), nextTry(++this.nBroken, 0, Math.random()))
    }
  }

  private hush(): void {
    this.stream?.close()
    this.stream = null
  }
}

/** Write an address below another, which may itself be below a proxy's path. */
function under(url: string, path: string): string {
  return path.startsWith('/') ? url.replace(/\/+$/, '') + path : new URL(path, url).href
}

/** Tell whether a message of the stream asks to ask again; `etag` is of the answers that are here. */
export function isRefetch(text: unknown, etag: string): boolean {
  try {
    const said = JSON.parse(String(text)) as { readonly type?: string; readonly etag?: string }
    return said.type === 'refetchEvaluation' && (!said.etag || !etag.includes(said.etag))
  } catch {
    return false
  }
}

/** Name the flags that came, went, or are answered otherwise. */
export function changed(before: ReadonlyMap<string, Flag>, after: ReadonlyMap<string, Flag>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys].filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)))
}

function refuse<T>(value: T, code: string, message: string): Resolution<T> {
  return { value, reason: 'ERROR', errorCode: code as never, errorMessage: message }
}
