/** What the operating routes answer. Instants are ms since 1970. */

export type TailVerdict = 'taken' | 'duplicate' | 'failed'

/** One event as the door saw it. */
export interface TailEvent {
  readonly at: number
  readonly source: string
  readonly dialect?: string | null
  readonly sdk?: string | null
  readonly type: string
  readonly name: string
  readonly user_id: string | null
  readonly anonymous_id: string | null
  readonly message_id: string | null
  readonly verdict: TailVerdict
  readonly code: string | null
  readonly position: number | null
}

export interface FailedSummary {
  readonly code: string
  readonly source: string
  readonly n: number
  readonly last_at: number
}

export interface FailedRetried {
  readonly retried: readonly { readonly id: number; readonly verdict: string; readonly reason: string | null }[]
}

export type SinkState = 'idle' | 'delivering' | 'backing-off' | 'held'

export interface SinkView {
  readonly name: string
  readonly type: string
  readonly state: SinkState
  readonly waiting: number
  readonly dead: number
  readonly delivered: number
  readonly retried: number
  readonly last_delivered_at: number | null
  readonly last_error: string | null
  readonly last_error_at: number | null
  readonly rate: number | null
}

export interface SdkView {
  readonly name: string
  readonly version: string
  readonly n: number
  readonly first_at: number
  readonly last_at: number
  readonly last_event: string
}

export interface SourceView {
  readonly name: string
  readonly write_key_hint: string
  readonly first_at: number | null
  readonly last_at: number | null
  readonly n_events: number
  readonly sdks: readonly SdkView[]
}

export interface AccountView {
  readonly name: string
  readonly role: 'viewer' | 'editor' | 'admin'
  readonly created_at: number
  readonly last_seen_at: number | null
}
