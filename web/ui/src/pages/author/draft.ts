/** A draft that is being written: what is known of it, and what each event makes of that. Pure: who saves is told. */

import type { FileView } from '../../api/schema'

export interface Draft {
  readonly text: string
  /** What the server has; what is written further is not there yet. */
  readonly savedText: string
  /** Of the draft on the server; null: there is none yet. */
  readonly etag: string | null
  /** Of the file on disk; null: there is none yet. */
  readonly fileEtag: string | null
  readonly phase: Phase
}

export type Phase =
  | { readonly is: 'idle' }
  | { readonly is: 'saving'; readonly text: string }
  | { readonly is: 'conflict'; readonly now: FileView }
  | { readonly is: 'failed'; readonly error: unknown }

export type Event =
  | { readonly is: 'opened'; readonly file: FileView }
  | { readonly is: 'written'; readonly text: string }
  | { readonly is: 'sent' }
  | { readonly is: 'saved'; readonly etag: string }
  | { readonly is: 'refused'; readonly now: FileView }
  | { readonly is: 'failed'; readonly error: unknown }
  /** Of a conflict: what is there now is seen, and this text shall stand. */
  | { readonly is: 'settled'; readonly text: string }
  /** The draft on the server was let go, and nothing of it is to be saved any more. */
  | { readonly is: 'dropped' }

export function open(file: FileView): Draft {
  const text = file.draft?.text ?? file.text ?? ''
  return { text, savedText: text, etag: file.draft?.etag ?? null, fileEtag: file.etag, phase: { is: 'idle' } }
}

export function next(draft: Draft, event: Event): Draft {
  switch (event.is) {
    case 'opened':
      return open(event.file)
    case 'written':
      return { ...draft, text: event.text, phase: draft.phase.is === 'failed' ? { is: 'idle' } : draft.phase }
    case 'sent':
      return { ...draft, phase: { is: 'saving', text: draft.text } }
    case 'saved':
      return { ...draft, savedText: draft.phase.is === 'saving' ? draft.phase.text : draft.savedText, etag: event.etag, phase: { is: 'idle' } }
    case 'refused':
      return { ...draft, phase: { is: 'conflict', now: event.now } }
    case 'failed':
      return { ...draft, phase: { is: 'failed', error: event.error } }
    case 'settled': {
      const now = draft.phase.is === 'conflict' ? draft.phase.now : null
      return now ? { ...open(now), text: event.text } : { ...draft, text: event.text }
    }
    case 'dropped':
      return { ...draft, savedText: draft.text, etag: null, phase: { is: 'idle' } }
    default:
      return event satisfies never
  }
}

/** Whether it is to be saved now: something was written, and nothing stands in the way. */
export function isToSave(draft: Draft): boolean {
  return draft.phase.is === 'idle' && draft.text !== draft.savedText
}

/** What is sent as seen: the draft's etag, or the file's where there is no draft; null: there must be none. */
export function seenOf(draft: Draft): string | null {
  return draft.etag ?? draft.fileEtag
}

export type Saved = 'clean' | 'saved' | 'waiting' | 'saving' | 'conflict' | 'failed'

export function savedOf(draft: Draft): Saved {
  if (draft.phase.is !== 'idle') return draft.phase.is
  if (draft.text !== draft.savedText) return 'waiting'
  return draft.etag === null ? 'clean' : 'saved'
}
