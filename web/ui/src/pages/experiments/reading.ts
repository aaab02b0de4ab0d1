/** An experiment's report in words and rows: decisions with a tone, amounts in their metric's unit. */

import type { Sheet } from '../shared/sheet'
import { duration, number, points, share } from '../../parts/format'
import { signed } from '../shared/numbers'
import type { Compared, Decision, Report } from './answers'

export type Tone = 'good' | 'bad' | 'warn' | 'plain'

/** Kinds of metric whose mean is a share of people. */
const SHARES = new Set(['conversion', 'retention'])

/** Tell how a decision is to be taken: `held` is one that must not be read at all. */
export function toneOf(decision: Decision): Tone {
  switch (decision) {
    case 'better':
      return 'good'
    case 'worse':
      return 'bad'
    case 'sample ratio mismatch: do not read':
    case 'chances not logged: do not read':
      return 'warn'
    case 'no difference shown yet':
    case 'too few people yet':
      return 'plain'
    default:
      return decision satisfies never
  }
}

/** How a metric's means, and differences between them, are written. */
export interface Unit {
  readonly mean: (value: number | null) => string
  readonly difference: (value: number | null) => string
}

export function unitOf(kind: string): Unit {
  if (SHARES.has(kind)) return { mean: (x) => share(x, 2), difference: (x) => points(x, 2) }
  if (kind === 'time_to') return { mean: duration, difference: (x) => signed(x, duration) }
  return { mean: (x) => number(x, 3), difference: (x) => signed(x, (size) => number(size, 3)) }
}

/** One metric: all its variants beside the control. */
export interface MetricRows {
  readonly metric: string
  readonly kind: string
  readonly isUpGood: boolean
  readonly comparisons: readonly Compared[]
}

/** Group comparisons by metric, in the order in which they come. */
export function byMetric(report: Report): readonly MetricRows[] {
  const groups = new Map<string, Compared[]>()
  for (const one of report.comparisons) groups.set(one.metric, [...(groups.get(one.metric) ?? []), one])
  return [...groups].map(([metric, comparisons]) => ({
    metric,
    kind: comparisons[0]!.kind,
    isUpGood: comparisons[0]!.is_up_good,
    comparisons,
  }))
}

/** Whether anything of a report may be read: arms that lost people say nothing. */
export function isReadable(report: Report): boolean {
  return report.comparisons.every((one) => toneOf(one.decision) !== 'warn') && !report.ratio.is_mismatch
}

/** Who is in which arm beside who should be. */
export function armRows(report: Report) {
  return report.arms.map((arm) => ({
    variant: arm.variant,
    isControl: arm.variant === report.control,
    people: arm.people,
    share: report.people > 0 ? arm.people / report.people : null,
    expected: arm.expected_share,
  }))
}

/** All comparisons, for a spreadsheet. */
export function reportSheet(report: Report): Sheet {
  return {
    columns: [
      'metric', 'kind', 'variant', 'control', 'people of variant', 'people of control', 'waiting', 'mean of variant',
      'mean of control', 'difference', 'low', 'high', 'relative', 'relative low', 'relative high', 'q', 'decision',
    ],
    rows: report.comparisons.map((one) => [
      one.metric, one.kind, one.variant, report.control, ...one.people, one.waiting, ...one.means,
      one.effect.estimate, one.effect.low, one.effect.high,
      one.relative.estimate, one.relative.low, one.relative.high, one.q, one.decision,
    ]),
  }
}
