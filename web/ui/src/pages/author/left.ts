/** What was written when a page was left: it is saved then and there, and what cannot be saved waits in this tab.
 *
 * Somebody may leave by a link before the last letters are saved, while the server is away, or because their session
 * ended; whoever wrote it finds it when they open the file again.
 */

import { isToSave, next, type Draft, type Event } from './draft'

const kept = new Map<string, Draft>()
const leaving = new Map<string, Promise<void>>()

/** Save what is not saved yet; keep it where that fails. `underWay` is a save whose answer is still to come. */
export function leaveDraft(
  of: { readonly who: string; readonly file: string },
  draft: Draft,
  how: { readonly underWay: Promise<Event> | null; readonly save: (draft: Draft) => Promise<Event> },
): Promise<void> {
  const left = finish(keyOf(of), draft, how).finally(() => {
    if (leaving.get(of.file) === left) leaving.delete(of.file)
  })
  leaving.set(of.file, left)
  return left
}

/** Resolves once nothing that was left is on its way to a file. */
export function whenLeft(file: string): Promise<void> {
  return leaving.get(file) ?? Promise.resolve()
}

/** What somebody left of a file unsaved, as it is to be gone on with; null: nothing. */
export function leftOf(of: { readonly who: string; readonly file: string }): Draft | null {
  return kept.get(keyOf(of)) ?? null
}

/** It is in somebody's editor again. */
export function forgetLeft(of: { readonly who: string; readonly file: string }): void {
  kept.delete(keyOf(of))
}

async function finish(
  key: string, draft: Draft, { underWay, save }: { readonly underWay: Promise<Event> | null; readonly save: (draft: Draft) => Promise<Event> },
): Promise<void> {
  const settled = underWay && draft.phase.is === 'saving' ? next(draft, await underWay) : draft
  const last = isToSave(settled) ? next(next(settled, { is: 'sent' }), await save(settled)) : settled
  if (last.text !== last.savedText) kept.set(key, { ...last, phase: { is: 'idle' } })
}

function keyOf({ who, file }: { readonly who: string; readonly file: string }): string {
  return `${who} ${file}`
}
