/** Findings of friction in words and rows. */

import type { Sheet } from '../shared/sheet'
import { SIGNALS } from '../../text/friction'
import { MAP } from '../../text/map'
import { writePicked } from '../map/selection'
import type { Finding, FrictionAnswer } from './answers'

/** Say what a finding is: `Going back from Payment Viewed to Cart Viewed`. */
export function titleOf(finding: Pick<Finding, 'signal' | 'steps'>): string {
  const [one = '', other = ''] = finding.steps
  return SIGNALS[finding.signal].title(MAP.step(one), MAP.step(other))
}

/** Say whose it is; empty: everybody's. */
export function segmentOf(segment: Finding['segment']): string {
  return Object.entries(segment).map(([name, value]) => `${name} = ${value}`).join(', ')
}

/** Say when it began and ended, with how sure that is; empty for what is always so. */
export function whenOf(finding: Finding): string {
  if (finding.first === null || finding.last === null) return ''
  return finding.first === finding.last ? finding.first : `${finding.first} to ${finding.last}`
}

/** How much more often than elsewhere; null where there is no elsewhere. */
export function timesOf(finding: Finding): number | null {
  return finding.share_elsewhere > 0 ? finding.share / finding.share_elsewhere : null
}

/** Whether the interval of what was lost leaves nothing out. */
export function isClear(finding: Finding): boolean {
  return finding.conversions_lost !== null && finding.conversions_lost.low > 0
}

/** What has a date, and what is always hard; each the costliest first, as they came. */
export function split(answer: FrictionAnswer): {
  readonly incidents: readonly Finding[]
  readonly standing: readonly Finding[]
} {
  return {
    incidents: answer.findings.filter((one) => one.kind === 'incident'),
    standing: answer.findings.filter((one) => one.kind === 'standing'),
  }
}

/** All findings, for a spreadsheet. */
export function frictionSheet(answer: FrictionAnswer): Sheet {
  return {
    columns: [
      'kind', 'signal', 'steps', 'segment', 'first', 'last', 'cases', 'people', 'at risk', 'share', 'share elsewhere', 'p',
      'conversions lost', 'low', 'high',
    ],
    rows: answer.findings.map((one) => [
      one.kind, one.signal, one.steps.join(' > '), segmentOf(one.segment), one.first, one.last, one.cases, one.people,
      one.at_risk, one.share, one.share_elsewhere, one.p,
      one.conversions_lost?.estimate, one.conversions_lost?.low, one.conversions_lost?.high,
    ]),
  }
}

/** The map at the step of a finding, narrowed to whose it is. */
export function mapPath(finding: Pick<Finding, 'steps' | 'segment'>): string {
  const query = new URLSearchParams()
  if (finding.steps[0]) query.set('at', writePicked({ kind: 'step', step: finding.steps[0] }))
  for (const [name, value] of Object.entries(finding.segment)) query.append('where', `${name}=${value}`)
  return `/map?${query.toString()}`
}
