import { expect, test } from 'vitest'
import type { FileView } from '../../api/schema'
import { isToSave, next, open, savedOf, seenOf, type Draft, type Event } from './draft'

const file = (more: Partial<FileView> = {}): FileView => (
  { file: 'journeys/a.yaml', kind: 'journey', text: 'on disk', etag: 'f1', draft: null, is_writable: true, ...more }
)
const draftOf = (text: string, etag: string) => (
  { file: 'journeys/a.yaml', text, etag, base_etag: 'f1', updated_at: 0, updated_by: 'bob' }
)
const after = (draft: Draft, ...events: readonly Event[]) => events.reduce(next, draft)

test('a file is opened as it is, or as its draft is', () => {
  expect([open(file()).text, seenOf(open(file())), savedOf(open(file()))]).toEqual(['on disk', 'f1', 'clean'])
  const drafted = open(file({ draft: draftOf('half', 'd1') }))
  expect([drafted.text, seenOf(drafted), savedOf(drafted)]).toEqual(['half', 'd1', 'saved'])
})

test('what is written while a save is under way is saved afterwards', () => {
  const saving = after(open(file()), { is: 'written', text: 'one' }, { is: 'sent' }, { is: 'written', text: 'two' })
  expect([savedOf(saving), isToSave(saving)]).toEqual(['saving', false])
  const saved = after(saving, { is: 'saved', etag: 'd1' })
  expect([savedOf(saved), isToSave(saved), seenOf(saved)]).toEqual(['waiting', true, 'd1'])
})

test('where somebody else was first nothing is saved until that is settled, and then over what they saved', () => {
  const now = file({ draft: draftOf('theirs', 'd9') })
  const refused = after(open(file()), { is: 'written', text: 'mine' }, { is: 'sent' }, { is: 'refused', now })
  expect([isToSave(refused), refused.text]).toEqual([false, 'mine'])
  const mine = after(refused, { is: 'settled', text: 'both' })
  expect([isToSave(mine), seenOf(mine), mine.text]).toEqual([true, 'd9', 'both'])
  const theirs = after(refused, { is: 'settled', text: 'theirs' })
  expect([isToSave(theirs), savedOf(theirs)]).toEqual([false, 'saved'])
})

test('a save that failed is tried again with the next letter', () => {
  const failed = after(open(file()), { is: 'written', text: 'a' }, { is: 'sent' }, { is: 'failed', error: 'off' })
  expect(isToSave(failed)).toBe(false)
  expect(isToSave(after(failed, { is: 'written', text: 'ab' }))).toBe(true)
})
