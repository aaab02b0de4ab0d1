/** Operating: what came in, what went wrong, what goes out, what stands still, and who may do what. */

import { call } from './client'
import type {
  AccountView, DeadLetterPage, EventHeard, FailedEventPage, FailedKind, FailedRetried, FailedRetriedList, Hold, HoldView, Retried, SinkView,
  SourceView, StatusView,
} from './schema'
import type { Role } from './session'
import { listen, type StreamState } from './stream'

export type TailVerdict = EventHeard['verdict']
export type RetryVerdict = FailedRetried['verdict']
export type SinkState = SinkView['state']
export type HoldName = Hold['name']

export interface TailFilter {
  readonly source: string
  readonly name: string
  readonly verdict: string
}

export function getStatus(signal?: AbortSignal): Promise<StatusView> {
  return call('GET', '/api/v1/status', { signal })
}

/** The newest events, newest first: what the tail begins with. */
export function listEvents(limit: number, signal?: AbortSignal): Promise<readonly EventHeard[]> {
  return call('GET', '/api/v1/events', { query: { limit }, signal })
}

/** Listen to events as they come; `skipped` are those that were too many to be sent. Returns what ends it. */
export function listenToEvents(
  filter: TailFilter,
  told: { readonly event: (event: EventHeard) => void; readonly skipped: (n: number) => void; readonly state: (state: StreamState) => void },
): () => void {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value))
  return listen(
    `/api/v1/events/stream?${query.toString()}`,
    {
      message: (data: EventHeard) => told.event(data),
      skipped: (data: { readonly n: number }) => told.skipped(data.n),
    },
    told.state,
  )
}

export function listFailed(before: number | null, signal?: AbortSignal): Promise<FailedEventPage> {
  return call('GET', '/api/v1/failed-events', { query: { limit: 50, before }, signal })
}

export function summariseFailed(signal?: AbortSignal): Promise<readonly FailedKind[]> {
  return call('GET', '/api/v1/failed-events/summary', { signal })
}

export function retryFailed(ids: readonly number[]): Promise<FailedRetriedList> {
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
