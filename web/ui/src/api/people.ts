/** People: found by any id, told whole, asked why, and forgotten. */

import { call } from './client'
import type { ExplanationView, ProfileView } from './schema'

/** One person of a search. */
export interface FoundPerson {
  readonly id: string
  readonly user_ids: readonly string[]
  readonly anonymous_ids: readonly string[]
  readonly name: string | null
  readonly email: string | null
  readonly first_seen_at: number
  readonly last_seen_at: number
  readonly n_events: number
}

/** What became of forgetting somebody, as far as the page tells it. */
export interface ForgottenView {
  readonly ids: readonly string[]
  readonly n_events: number
  readonly n_journeys: number
}

/** Find people by the beginning of any id; an empty query is whoever was seen last. */
export function findPeople(query: string, limit: number, signal?: AbortSignal): Promise<readonly FoundPerson[]> {
  return call('GET', '/api/v1/people', { query: { query, limit }, signal })
}

/** One person with their newest facts. */
export function getProfile<T extends ProfileView>(id: string, limit: number, signal?: AbortSignal): Promise<T> {
  return call('GET', `/api/v1/profiles/${encodeURIComponent(id)}`, { query: { limit }, signal })
}

/** Why a person did, or did not, get what a journey sends. */
export function explain(journey: string, person: string, signal?: AbortSignal): Promise<ExplanationView> {
  return call('GET', `/api/v1/journeys/${encodeURIComponent(journey)}/explanation`, { query: { person }, signal })
}

/** Forget a person for good; `confirm` is the id, typed by whoever asks. */
export function forgetPerson(id: string, confirm: string, reason: string): Promise<ForgottenView> {
  return call('POST', `/api/v1/people/${encodeURIComponent(id)}/forget`, { body: { confirm, reason } })
}
