/** Operating: what came in, what went wrong, what goes out, what stands still, and who may do what. */

import { call } from './client'
import type { DeadLetterPage, FailedEventPage, HoldView, Retried, StatusView } from './schema'
import type { Role } from './session'
import { listen, type StreamState } from './stream'

export type TailVerdict = 'taken' | 'duplicate' | 'failed'

/** One event as the door saw it. */
export interface TailEvent {
  readonly at: number
  readonly source: string
  /** What the event says sent it, as `analytics.js 2.1`. */
  readonly sdk: string
  readonly type: string
  readonly name: string
  readonly user_id: string | null
  readonly anonymous_id: string | null
  readonly message_id: string | null
  readonly verdict: TailVerdict
  readonly code: string
  readonly position: number | null
}

export interface TailFilter {
  readonly source: string
  readonly name: string
  readonly verdict: string
}

export interface FailedSummary {
  readonly code: string
  readonly source: string
  readonly n: number
  readonly last_at: number
}

/** `refused`: it was not tried. */
export type RetryVerdict = 'taken' | 'duplicate' | 'failed' | 'refused'

export interface FailedRetried {
  readonly retried: readonly { readonly id: number; readonly verdict: RetryVerdict; readonly reason: string }[]
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
  readonly last_error: string
  readonly last_error_at: number | null
  /** When the oldest action that waits for it was decided. */
  readonly oldest_at: number | null
  readonly rate: { readonly most: number; readonly per_ms: number } | null
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
  readonly n_duplicates: number
  readonly n_failed: number
  readonly sdks: readonly SdkView[]
}

export interface AccountView {
  readonly name: string
  readonly role: Role
  readonly created_at: number
  readonly last_seen_at: number | null
}

/** How the house is doing; `operating` is what a server that runs adds. */
export type Status = StatusView & { readonly operating?: OperatingView | null }

export interface OperatingView {
  readonly oldest_action_at: number | null
  readonly commits: { readonly n: number; readonly p50: number; readonly p95: number } | null
  readonly lake_position: number | null
  readonly lake_lag_ms: number | null
  readonly data_bytes: number
  readonly free_bytes: number
}

export type HoldName = '$pause' | '$resume' | '$stop' | '$release'

export function getStatus(signal?: AbortSignal): Promise<Status> {
  return call('GET', '/api/v1/status', { signal })
}

/** The newest events, newest first: what the tail begins with. */
export function listEvents(limit: number, signal?: AbortSignal): Promise<readonly TailEvent[]> {
  return call('GET', '/api/v1/events', { query: { limit }, signal })
}

/** Listen to events as they come; `skipped` are those that were too many to be sent. Returns what ends it. */
export function listenToEvents(
  filter: TailFilter,
  told: { readonly event: (event: TailEvent) => void; readonly skipped: (n: number) => void; readonly state: (state: StreamState) => void },
): () => void {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value))
  return listen(
    `/api/v1/events/stream?${query.toString()}`,
    {
      message: (data: TailEvent) => told.event(data),
      skipped: (data: { readonly n: number }) => told.skipped(data.n),
    },
    told.state,
  )
}

export function listFailed(before: number | null, signal?: AbortSignal): Promise<FailedEventPage> {
  return call('GET', '/api/v1/failed-events', { query: { limit: 50, before }, signal })
}

export function summariseFailed(signal?: AbortSignal): Promise<readonly FailedSummary[]> {
  return call('GET', '/api/v1/failed-events/summary', { signal })
}

export function retryFailed(ids: readonly number[]): Promise<FailedRetried> {
  return call('POST', '/api/v1/failed-events/retry', { body: { ids } })
}

export function listDead(before: string | null, signal?: AbortSignal): Promise<DeadLetterPage> {
  return call('GET', '/api/v1/dead-letters', { query: { limit: 50, before }, signal })
}

/** Try dead letters again; null: all of them. */
export function retryDead(ids: readonly string[] | null): Promise<Retried> {
  return call('POST', '/api/v1/dead-letters/retry', { body: { action_ids: ids } })
}

export function listSinks(signal?: AbortSignal): Promise<readonly SinkView[]> {
  return call('GET', '/api/v1/sinks', { signal })
}

export function listSources(signal?: AbortSignal): Promise<readonly SourceView[]> {
  return call('GET', '/api/v1/sources', { signal })
}

export function hold(name: HoldName, journey = ''): Promise<HoldView> {
  return call('POST', '/api/v1/holds', { body: { name, journey } })
}

export function listAccounts(signal?: AbortSignal): Promise<readonly AccountView[]> {
  return call('GET', '/api/v1/accounts', { signal })
}

export function addAccount(name: string, role: Role, password: string): Promise<unknown> {
  return call('POST', '/api/v1/accounts', { body: { name, role, password } })
}

export function setPassword(name: string, password: string): Promise<unknown> {
  return call('POST', `/api/v1/accounts/${encodeURIComponent(name)}/password`, { body: { password } })
}

export function removeAccount(name: string): Promise<unknown> {
  return call('DELETE', `/api/v1/accounts/${encodeURIComponent(name)}`)
}
