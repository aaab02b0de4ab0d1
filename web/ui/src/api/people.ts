/** People: found by any id, told whole, asked why, and forgotten. */

import { call } from './client'
import type { ExplanationView, ForgottenRow, ForgottenView, PersonFound, ProfileView } from './schema'

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

/** What forgetting a person would take; nothing is changed. */
export function previewForgetting(id: string, signal?: AbortSignal): Promise<ForgottenView> {
  return call('POST', `/api/v1/people/${encodeURIComponent(id)}/forget`, { body: { dry_run: true }, signal })
}

/** The ledger of who was forgotten, newest first. */
export function listForgotten(signal?: AbortSignal): Promise<readonly ForgottenRow[]> {
  return call('GET', '/api/v1/forgotten', { signal })
}
