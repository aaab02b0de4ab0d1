import { expect, test } from 'vitest'

import type { Finding, FrictionAnswer } from './answers'
import { frictionSheet, isClear, mapPath, segmentOf, split, timesOf, titleOf, whenOf } from './reading'

const finding = {
  kind: 'incident', signal: 'backtrack', steps: ['Payment', 'Cart'], segment: { browser: 'Safari', os: 'iOS' }, first: '2026-03-01',
  last: '2026-03-04', first_between: null, last_between: null, cases: 30, people: 28, times: 40, at_risk: 100, share: 0.3,
  share_elsewhere: 0.1, p: 0.001, conversions_lost: { estimate: 4, low: 1, high: 7 }, evidence: [],
} as Finding

test('a finding is told with its steps, whose it was and when', () => {
  expect(titleOf(finding)).toBe('Going back from Payment to Cart')
  expect(titleOf({ signal: 'error', steps: ['Card Declined'] })).toBe('Error: Card Declined')
  expect(titleOf({ signal: 'error', steps: ['Payment', 'Card Declined'] })).toBe('Error at Payment: Card Declined')
  expect(segmentOf(finding.segment)).toBe('browser = Safari, os = iOS')
  expect(whenOf(finding)).toBe('2026-03-01 to 2026-03-04')
  expect(whenOf({ ...finding, last: finding.first })).toBe('2026-03-01')
  expect(whenOf({ ...finding, first: null, last: null })).toBe('')
})

test('how many times as often as elsewhere is told only where there is an elsewhere', () => {
  expect(timesOf(finding)).toBeCloseTo(3)
  expect(timesOf({ ...finding, share_elsewhere: 0 })).toBeNull()
})

test('an interval that holds nothing is not clear', () => {
  expect([isClear(finding), isClear({ ...finding, conversions_lost: { estimate: 4, low: -1, high: 7 } }), isClear({ ...finding, conversions_lost: null })]).toEqual([
    true, false, false,
  ])
})

test('what has a date and what is always hard are told apart, and a sheet has both', () => {
  const answer = { findings: [finding, { ...finding, kind: 'standing' }], n_findings: 2 } as unknown as FrictionAnswer
  expect([split(answer).incidents.length, split(answer).standing.length]).toEqual([1, 1])
  const sheet = frictionSheet(answer)
  expect(sheet.rows.map((row) => row.length)).toEqual([sheet.columns.length, sheet.columns.length])
})

test('the map opens at the step, for whom it is', () => {
  expect(mapPath(finding)).toBe('/map?at=step%3APayment&where=browser%3DSafari&where=os%3DiOS')
})
