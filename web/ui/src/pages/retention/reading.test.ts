import { expect, test } from 'vitest'

import type { CohortCell, RetentionAnswer } from './answers'
import { cohortsOf, curveOf, largestShare, retentionSheet, shadeOf } from './reading'

const cell = (cohort: string | null, n: number, more: Partial<CohortCell> = {}): CohortCell => ({
  kind: 'period', cohort, people: 10, n: String(n), status: 'over', count: 5, of: 10, share: 0.5, low: 0.3, high: 0.7,
  count_so_far: 0, of_so_far: 0, ahead: 0, ...more,
})

const ahead = { status: 'ahead', count: 0, of: 0, share: null, low: null, high: null, ahead: 10 } as const
const running = { ...ahead, status: 'running', ahead: 0, count_so_far: 2, of_so_far: 8 } as const

const answer = {
  overall: [cell(null, 0), cell(null, 1, { share: 0.2, status: 'partly' }), cell(null, 2, running), cell(null, 3, ahead)],
  cohorts: [cell('May', 0), cell('May', 1, { share: 0.2 }), cell('June', 0), cell('June', 2, running), cell(null, 0, { kind: 'other' })],
} as unknown as RetentionAnswer

test('cohorts have a cell for each period, and none where the answer has none', () => {
  const { columns, rows } = cohortsOf(answer, 'all others', 'without')
  expect(columns).toEqual(['0', '1', '2', '3'])
  expect(rows.map((row) => [row.cohort, row.cells.map((each) => each?.share ?? null)])).toEqual([
    ['May', [0.5, 0.2, null, null]], ['June', [0.5, null, 0.25, null]], ['all others', [0.5, null, null, null]],
  ])
})

test('a period that is running tells what is there so far, and claims no interval', () => {
  const june = cohortsOf(answer, 'o', 'n').rows[1]!.cells[2]!
  expect(june).toEqual({ status: 'running', share: 0.25, low: null, high: null, count: 2, of: 8 })
})

test('the curve ends where nothing is known, and says which points are whole', () => {
  expect(curveOf(answer).map((point) => [point.n, point.isWhole])).toEqual([['0', true], ['1', false], ['2', false]])
})

test('shades leave the first period out, which is nearly always full', () => {
  const cohorts = cohortsOf(answer, 'o', 'n')
  expect(largestShare(cohorts)).toBe(0.25)
  expect([shadeOf(cohorts.rows[0]!.cells[0]!, 0.25), shadeOf(cohorts.rows[0]!.cells[1]!, 0.25), shadeOf(null, 0.25), shadeOf(null, 0)]).toEqual([9, 7, 0, 0])
})

test('a sheet has a cell for each column', () => {
  const sheet = retentionSheet(answer)
  expect(new Set(sheet.rows.map((row) => row.length))).toEqual(new Set([sheet.columns.length]))
})
