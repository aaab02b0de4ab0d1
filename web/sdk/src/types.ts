/** The nouns of the tracker: what is asked of it, what it knows, what happens to it, and what it wants done. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined }

/** Properties and traits. What JSON cannot say (functions, cycles) is refused with a warning. */
export type Properties = { readonly [name: string]: unknown }

/** What `load` may be told. Each has a row in docs/how-to/browser-sdk.md. */
export interface Options {
  /** Where Sojourn listens: `https://events.example.com`. */
  readonly host: string
  /** Whether a page view is sent at the start and at each navigation inside the page. Default: true. */
  readonly autoPage?: boolean
  /** `required`: nothing is stored or sent until `consent` says yes. Default: `granted`. */
  readonly consent?: 'granted' | 'required'
  /** Whether Global Privacy Control counts as a no. Default: false. */
  readonly respectGpc?: boolean
  /** Whether Do Not Track counts as a no. Default: false. */
  readonly respectDnt?: boolean
  /** `memory`: nothing outlives the page, ids included. Default: `local`. */
  readonly storage?: 'local' | 'memory'
  /** Domain of the cookie that keeps the anonymous id; `none`: no cookie. Default: the widest one that is ours. */
  readonly cookieDomain?: string
  /** So many events are sent without waiting. Default: 20. */
  readonly flushAt?: number
  /** The longest an event waits for others, ms. Default: 250. */
  readonly flushMs?: number
  /** Events kept while they cannot be sent; then the oldest go. Default: 1,000. */
  readonly maxEvents?: number
  /** Sees each event before it is kept; returns it, another one, or null to drop it. */
  readonly before?: (event: Event) => Event | null
}

/** The options with their defaults. */
export interface Settings {
  readonly writeKey: string
  readonly host: string
  readonly autoPage: boolean
  readonly needsConsent: boolean
  readonly respectGpc: boolean
  readonly respectDnt: boolean
  readonly storage: 'local' | 'memory'
  readonly cookieDomain: string
  readonly flushAt: number
  readonly flushMs: number
  readonly maxEvents: number
  readonly before: (event: Event) => Event | null
}

/** Who uses the page, as far as it knows. */
export interface Person {
  readonly anonymousId: string
  readonly userId: string | null
  readonly traits: Properties
  readonly groupId: string | null
}

/** Categories by name: `{analytics: true, email: false}`. */
export type Preferences = { readonly [category: string]: boolean }

/** `unknown`: nobody has said; calls are held in memory. */
export interface Consent {
  readonly word: 'yes' | 'no' | 'unknown'
  readonly preferences: Preferences | null
}

/** Where a call was made. */
export interface Place {
  readonly url: string
  readonly referrer: string
  readonly title: string
}

/** What is the same for every event of a page load. */
export interface Device {
  readonly locale: string
  readonly timezone: string
  readonly screen: { readonly width: number; readonly height: number }
}

export type Call =
  | { readonly type: 'track'; readonly event: string; readonly properties: Properties }
  | { readonly type: 'page'; readonly category?: string; readonly name?: string; readonly properties: Properties }
  | { readonly type: 'identify'; readonly userId: string | null; readonly traits: Properties }
  | { readonly type: 'group'; readonly groupId: string; readonly traits: Properties }
  | { readonly type: 'alias'; readonly userId: string; readonly previousId: string | null }

/** A call with all that only the outside knows. */
export interface Made {
  readonly call: Call
  readonly messageId: string
  readonly place: Place
  /** ms since 1970 by the device's clock. */
  readonly at: number
}

/** An event as it goes over the wire: a message of the Segment Tracking API. */
export interface Event {
  readonly type: Call['type']
  readonly messageId: string
  readonly anonymousId: string
  readonly userId?: string
  readonly previousId?: string
  readonly groupId?: string
  readonly event?: string
  readonly name?: string
  readonly category?: string
  readonly properties?: Properties
  readonly traits?: Properties
  readonly originalTimestamp: string
  readonly context: Properties
}

/** An event that is kept: the name it is stored under, which sorts by time, and how large it is. */
export interface Kept {
  readonly key: string
  readonly bytes: number
  /** It is another tab's, which may still send it; this one should not before, ms. 0: it is this tab's own. */
  readonly heldUntil: number
}

/** Somebody said what they allow; an echo is what another tab was told. */
export interface Consented {
  readonly kind: 'consent'
  readonly said: boolean | Preferences
  readonly isEcho: boolean
  /** For whoever comes after a no. */
  readonly anonymousId: string
  readonly messageId: string
  readonly place: Place
}

export type Input =
  | { readonly kind: 'call'; readonly made: Made }
  | { readonly kind: 'reset'; readonly anonymousId: string }
  | Consented
  /** Another tab changed who it is. */
  | { readonly kind: 'person'; readonly person: Person }
  | { readonly kind: 'due' }
  | { readonly kind: 'flush' }
  /** What is kept now, by all tabs; and whether this one may send what others left. */
  | { readonly kind: 'looked'; readonly kept: readonly Kept[]; readonly isLocked: boolean }
  /** `status` 0: no answer. `chance` is in [0, 1). */
  | { readonly kind: 'answered'; readonly keys: readonly string[]; readonly status: number; readonly retryAfterMs: number; readonly chance: number }
  /** Nobody sees the page; `isLeaving`: nobody may ever again. */
  | { readonly kind: 'hidden'; readonly isLeaving: boolean }
  | { readonly kind: 'shown' }
  /** What is kept now, while nobody sees the page. */
  | { readonly kind: 'listed'; readonly kept: readonly Kept[] }
  | { readonly kind: 'online' }

export type Effect =
  | { readonly kind: 'keep'; readonly key: string; readonly text: string }
  | { readonly kind: 'trim'; readonly most: number }
  | { readonly kind: 'savePerson'; readonly person: Person }
  | { readonly kind: 'saveConsent'; readonly preferences: Preferences | null }
  /** Take back all that was ever stored. */
  | { readonly kind: 'purge' }
  | { readonly kind: 'wake'; readonly at: number }
  | { readonly kind: 'look' }
  /** Look again once no other tab sends what others left. */
  | { readonly kind: 'lock' }
  | { readonly kind: 'unlock' }
  | { readonly kind: 'list' }
  /** Tell other tabs that this one looks after its events until then, ms; 0: no more. */
  | { readonly kind: 'claim'; readonly until: number }
  /** `isLast`: the page may be gone before there is an answer. */
  | { readonly kind: 'send'; readonly keys: readonly string[]; readonly isLast: boolean }
  | { readonly kind: 'forget'; readonly keys: readonly string[] }
  /** A round of sending ended; `isEmpty`: nothing waits. */
  | { readonly kind: 'settle'; readonly isEmpty: boolean }
  | { readonly kind: 'warn'; readonly code: string; readonly text: string }

export function never(value: never): never {
  throw new Error(value)
}
