import { expect, test } from 'vitest'
import { pageOf, sorted } from './rows'

test('what is missing goes last, whichever way the rest is sorted', () => {
  const rows = [3, null, 1, Number.NaN, 2]
  expect(sorted(rows, (row) => row, false)).toEqual([1, 2, 3, null, Number.NaN])
  expect(sorted(rows, (row) => row, true)).toEqual([3, 2, 1, null, Number.NaN])
})

test('numbers inside names are numbers', () => {
  expect(sorted(['step 10', 'Step 9'], (row) => row, false)).toEqual(['Step 9', 'step 10'])
})

test('a page beyond the last is the last, and no rows are one empty page', () => {
  expect(pageOf([1, 2, 3], 7, 2)).toEqual({ rows: [3], page: 1, nPages: 2 })
  expect(pageOf([], 3, 2)).toEqual({ rows: [], page: 0, nPages: 1 })
})
