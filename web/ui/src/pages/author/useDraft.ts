/** A draft in the page: opened, saved a moment after the last letter, and never over somebody else's. */

import { useEffect, useReducer } from 'react'
import { conflictOf, saveDraft } from '../../api/authoring'
import type { FileView } from '../../api/schema'
import { isToSave, next, open, seenOf, type Draft, type Event } from './draft'

/** So long without a letter, and what is written is saved. */
const QUIET_MS = 700

export function useDraft(file: FileView, isWritable: boolean): readonly [Draft, (event: Event) => void] {
  const [draft, tell] = useReducer(next, file, open)
  const isDue = isWritable && isToSave(draft)
  useEffect(() => {
    if (!isDue) return undefined
    const timer = setTimeout(() => {
      tell({ is: 'sent' })
      void save(file.file, draft).then(tell)
    }, QUIET_MS)
    return () => clearTimeout(timer)
  }, [isDue, draft, file.file])
  useEffect(() => {
    if (draft.text === draft.savedText) return undefined
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [draft.text, draft.savedText])
  return [draft, tell]
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
