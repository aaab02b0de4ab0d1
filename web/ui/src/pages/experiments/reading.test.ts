import { expect, test } from 'vitest'

import type { Compared, Report } from './answers'
import { armRows, byMetric, isReadable, reportSheet, toneOf, unitOf } from './reading'

const none = { estimate: null, low: null, high: null, p: null }

const compared = (metric: string, variant: string, decision: Compared['decision']) =>
  ({ metric, variant, kind: 'conversion', decision, people: [1, 2], means: [0.1, 0.2], effect: none, relative: none, q: 1, waiting: 0, is_up_good: true }) as unknown as Compared

const report = (comparisons: readonly Compared[], is_mismatch = false) =>
  ({ control: 'a', people: 4, arms: [{ variant: 'a', people: 1, expected_share: 0.5 }, { variant: 'b', people: 3, expected_share: 0.5 }], comparisons, ratio: { is_mismatch } }) as unknown as Report

test('a decision that must not be read warns, whatever its numbers are', () => {
  expect(['better', 'worse', 'no difference shown yet', 'chances not logged: do not read'].map((one) => toneOf(one as Compared['decision']))).toEqual([
    'good', 'bad', 'plain', 'warn',
  ])
  expect(isReadable(report([compared('m', 'b', 'sample ratio mismatch: do not read')]))).toBe(false)
  expect(isReadable(report([compared('m', 'b', 'better')], true))).toBe(false)
  expect(isReadable(report([compared('m', 'b', 'better')]))).toBe(true)
})

test('shares differ by points, times by a span, and all else by its own amount', () => {
  expect([unitOf('conversion').mean(0.1828), unitOf('conversion').difference(0.0766)]).toEqual(['18.28%', '+7.66 pp'])
  expect([unitOf('time_to').mean(5_400_000), unitOf('time_to').difference(-60_000)]).toEqual(['1h 30m', '−1m'])
  expect([unitOf('value').mean(1.42263), unitOf('value').difference(-0.5)]).toEqual(['1.423', '−0.5'])
})

test('metrics keep their order, and each has all its variants', () => {
  const groups = byMetric(report([compared('x', 'b', 'better'), compared('y', 'b', 'worse'), compared('x', 'c', 'worse')]))
  expect(groups.map((group) => [group.metric, group.comparisons.length])).toEqual([['x', 2], ['y', 1]])
})

test('arms tell the share they have beside the one they should have', () => {
  expect(armRows(report([])).map((arm) => [arm.isControl, arm.share, arm.expected])).toEqual([[true, 0.25, 0.5], [false, 0.75, 0.5]])
})

test('a sheet has a cell for each column', () => {
  const sheet = reportSheet(report([compared('x', 'b', 'better')]))
  expect(sheet.rows[0]).toHaveLength(sheet.columns.length)
})
