/** A draft in the page: opened, saved a moment after the last letter, and never over somebody else's. */

import { useEffect, useReducer, useRef } from 'react'
import { conflictOf, saveDraft } from '../../api/authoring'
import { ApiError } from '../../api/errors'
import type { FileView } from '../../api/schema'
import { useWho } from '../../parts/session'
import { isToSave, next, open, seenOf, type Draft, type Event } from './draft'
import { forgetLeft, leaveDraft, leftOf } from './left'

/** So long without a letter, and what is written is saved. */
const QUIET_MS = 700
/** A server that was away is tried again after this. */
const AGAIN_MS = 3_000

export function useDraft(file: FileView, isWritable: boolean): readonly [Draft, (event: Event) => void] {
  const who = useWho()
  const [draft, tell] = useReducer(next, file, (opened) => leftOf({ who, file: opened.file }) ?? open(opened))
  const underWay = useRef<Promise<Event> | null>(null)
  const isDue = isWritable && isToSave(draft)
  useEffect(() => {
    if (!isDue) return undefined
    const timer = setTimeout(() => {
      tell({ is: 'sent' })
      underWay.current = save(file.file, draft)
      void underWay.current.then(tell)
    }, QUIET_MS)
    return () => clearTimeout(timer)
  }, [isDue, draft, file.file])
  useAgain(draft, tell)
  useEffect(() => {
    if (draft.text === draft.savedText) return undefined
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [draft.text, draft.savedText])
  const latest = useRef(draft)
  latest.current = draft
  useEffect(() => {
    const of = { who, file: file.file }
    forgetLeft(of)
    return () => {
      if (isWritable) void leaveDraft(of, latest.current, { underWay: underWay.current, save: (last) => save(file.file, last) })
    }
  }, [who, file.file, isWritable])
  return [draft, tell]
}

/** A save that failed because nobody answered is tried again by itself. */
function useAgain({ phase, text }: Draft, tell: (event: Event) => void): void {
  const isPassing = phase.is === 'failed' && phase.error instanceof ApiError && phase.error.isPassing
  useEffect(() => {
    if (!isPassing) return undefined
    const timer = setTimeout(() => tell({ is: 'written', text }), AGAIN_MS)
    return () => clearTimeout(timer)
  }, [isPassing, text, tell])
}

async function save(file: string, draft: Draft): Promise<Event> {
  try {
    const saved = await saveDraft(file, draft.text, { etag: seenOf(draft) })
    return { is: 'saved', etag: saved.etag }
  } catch (error) {
    const now = conflictOf(error)
    return now ? { is: 'refused', now } : { is: 'failed', error }
  }
}
