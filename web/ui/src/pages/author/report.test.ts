import { expect, test } from 'vitest'
import { affectedOf, draftOf, outcomesOf, rowsOf } from './report'

const tally = (entered: number, actions: Record<string, number>) => ({ entered, goals: 1, errors: 0, actions, states: { a: 2 }, ways: {} })
const REPORT = { is_compared: true, affected: 3, people: 9, journeys: [{ journey: 'j', draft: tally(5, { mail: 2 }), published: tally(4, { shop: 1 }) }] }

test('an action of either side has a row, and what the other does not send is nothing', () => {
  expect(rowsOf(outcomesOf(REPORT)[0]!)).toEqual([
    { key: 'entered', draft: 5, published: 4 }, { key: 'goals', draft: 1, published: 1 }, { key: 'errors', draft: 0, published: 0 },
    { key: 'sent mail', draft: 2, published: 0 }, { key: 'sent shop', draft: 0, published: 1 },
  ])
})

test('what was compared with nothing says so', () => {
  expect(affectedOf(REPORT)).toEqual({ affected: 3, people: 9 })
  expect(affectedOf({ ...REPORT, is_compared: false })).toBeNull()
  expect(rowsOf({ journey: 'j', draft: tally(5, {}), published: null })[0]).toEqual({ key: 'entered', draft: 5, published: null })
})

test('a report is found by its journey', () => {
  expect([draftOf(REPORT, 'j')?.entered, draftOf(REPORT, 'x'), draftOf(null, 'j')]).toEqual([5, null, null])
})
