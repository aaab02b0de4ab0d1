/** Authoring: checks, files and drafts, rehearsals and publishing. */

import { call } from './client'
import { ApiError } from './errors'
import type { CheckView, DraftView, FileEntry, FileView, PlanView, RehearsalView } from './schema'

export interface Definition {
  readonly file: string
  readonly text: string
}

export type Policy = 'pin' | 'follow' | 'map'

export function check(definitions: readonly Definition[], signal?: AbortSignal): Promise<CheckView> {
  return call('POST', '/api/v1/check', { body: { definitions }, signal })
}

export function getSchema(kind: string): Promise<object> {
  return call('GET', `/api/v1/schemas/${kind}`)
}

export function listFiles(): Promise<readonly FileEntry[]> {
  return call('GET', '/api/v1/files')
}

export function getFile(file: string, signal?: AbortSignal): Promise<FileView> {
  return call('GET', `/api/v1/files/${path(file)}`, { signal })
}

/** Keep a draft in the place of what has the etag that was seen; null: there must be none yet.
 *
 * `base` lays the draft over the file of that etag. Throws ApiError 412 where somebody else was there first.
 */
export function saveDraft(
  file: string, text: string, seen: { readonly etag: string | null; readonly base?: string | null },
): Promise<DraftView> {
  const headers: Record<string, string> = seen.etag === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${seen.etag}"` }
  return call('PUT', `/api/v1/drafts/${path(file)}`, { headers, body: { text, ...(seen.base ? { base_etag: seen.base } : {}) } })
}

export function dropDraft(file: string, etag: string): Promise<void> {
  return call('DELETE', `/api/v1/drafts/${path(file)}`, { headers: { 'If-Match': `"${etag}"` } })
}

export function publishDraft(
  file: string,
  asked: { readonly etag: string; readonly policy: Policy; readonly states: Readonly<Record<string, string>>; readonly dry_run: boolean },
): Promise<PlanView> {
  return call('POST', `/api/v1/drafts/${path(file)}/publish`, { body: asked })
}

export type Rehearse =
  | { readonly kind: 'replay'; readonly last: string }
  | { readonly kind: 'simulate'; readonly n_people: number; readonly days: number; readonly seed: number }

export function startRehearsal(asked: Rehearse, definitions: readonly Definition[]): Promise<RehearsalView> {
  return call('POST', '/api/v1/rehearsals', { body: { ...asked, definitions } })
}

export function getRehearsal(id: string, signal?: AbortSignal): Promise<RehearsalView> {
  return call('GET', `/api/v1/rehearsals/${encodeURIComponent(id)}`, { signal })
}

export function cancelRehearsal(id: string): Promise<RehearsalView> {
  return call('DELETE', `/api/v1/rehearsals/${encodeURIComponent(id)}`)
}

/** What is there now, where a draft could not be saved or published because somebody else was first; else null. */
export function conflictOf(error: unknown): FileView | null {
  if (!(error instanceof ApiError) || (error.status !== 412 && error.status !== 409)) return null
  return (error.body as { readonly now?: FileView } | null)?.now ?? null
}

function path(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/')
}
