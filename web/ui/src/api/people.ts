/** People: found by any id, told whole, asked why, and forgotten. */

import { call } from './client'
import type { ExplanationView, ForgottenView, PersonFound, ProfileView } from './schema'

/** Find people by the beginning of any id; an empty query is whoever was seen last. */
export function findPeople(query: string, limit: number, signal?: AbortSignal): Promise<readonly PersonFound[]> {
  return call('GET', '/api/v1/people', { query: { query, limit }, signal })
}

/** One person with their newest facts. */
export function getProfile(id: string, limit: number, signal?: AbortSignal): Promise<ProfileView> {
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
