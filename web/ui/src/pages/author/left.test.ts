import { expect, test } from 'vitest'
import type { FileView } from '../../api/schema'
import { next, open, savedOf, seenOf, type Draft, type Event } from './draft'
import { forgetLeft, leaveDraft, leftOf, whenLeft } from './left'

const FILE: FileView = { file: 'journeys/a.yaml', kind: 'journey', text: 'on disk', etag: 'f1', draft: null, is_writable: true }
const ADA = { who: 'ada', file: FILE.file }
const after = (...events: readonly Event[]) => events.reduce(next, open(FILE))
const written = after({ is: 'written', text: 'mine' })

/** A server that answers so, and what was sent to it. */
function server(answer: Event) {
  const sent: Draft[] = []
  return { sent, underWay: null, save: async (draft: Draft) => { sent.push(draft); return answer } }
}

test('the last letters are saved when the page is left, and whoever opens the file waits for that', async () => {
  const to = server({ is: 'saved', etag: 'd1' })
  const left = leaveDraft(ADA, written, to)
  await whenLeft(FILE.file)
  expect(to.sent.map((draft) => [draft.text, seenOf(draft)])).toEqual([['mine', 'f1']])
  await left
  expect(leftOf(ADA)).toBeNull()
})

test('what was typed while a save was under way goes after it, over what that came to', async () => {
  const to = server({ is: 'saved', etag: 'd2' })
  const saving = after({ is: 'written', text: 'mi' }, { is: 'sent' }, { is: 'written', text: 'mine' })
  await leaveDraft(ADA, saving, { ...to, underWay: Promise.resolve({ is: 'saved', etag: 'd1' }) })
  expect(to.sent.map((draft) => [draft.text, seenOf(draft)])).toEqual([['mine', 'd1']])
})

test('nothing is sent where everything is saved, or was let go', async () => {
  const to = server({ is: 'saved', etag: 'd1' })
  await leaveDraft(ADA, open(FILE), to)
  await leaveDraft(ADA, after({ is: 'written', text: 'x' }, { is: 'sent' }, { is: 'failed', error: 'off' }, { is: 'dropped' }), to)
  expect([to.sent, leftOf(ADA)]).toEqual([[], null])
})

test('what could not be saved waits for whoever wrote it, and for nobody else', async () => {
  await leaveDraft(ADA, written, server({ is: 'failed', error: 'signed out' }))
  expect(leftOf({ ...ADA, who: 'bob' })).toBeNull()
  const again = leftOf(ADA)
  expect([again?.text, again && savedOf(again), again && seenOf(again)]).toEqual(['mine', 'waiting', 'f1'])
  forgetLeft(ADA)
  expect(leftOf(ADA)).toBeNull()
})

test('a conflict that was not settled is met again', async () => {
  const to = server({ is: 'saved', etag: 'never' })
  const now = { ...FILE, draft: { file: FILE.file, text: 'theirs', etag: 'd9', base_etag: 'f1', updated_at: 0, updated_by: 'bob' } }
  await leaveDraft(ADA, next(written, { is: 'refused', now }), to)
  const again = leftOf(ADA)
  expect([to.sent, again?.text, again && seenOf(again)]).toEqual([[], 'mine', 'f1'])
  forgetLeft(ADA)
})
