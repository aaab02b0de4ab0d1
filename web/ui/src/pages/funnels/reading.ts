/** A funnel as rows: steps with where the others went, and the same by segment. */

import type { Sheet } from '../shared/sheet'
import type { ByRow, FunnelAnswer, FunnelStep, StepTime, WentTo } from './answers'

/** What a funnel may be asked: how steps follow, and what is counted; the first is the default. */
export const ORDERS = ['ordered', 'strict', 'any'] as const
export const PERS = ['person', 'session', 'attempt'] as const

export interface StepRow extends FunnelStep {
  readonly n: number
  /** How long it took from the step before; null for the first. */
  readonly time: StepTime | null
  /** What those did who went no further, the most frequent first; those who did nothing more last. */
  readonly wentTo: readonly WentTo[]
}

export function stepRows(answer: FunnelAnswer): readonly StepRow[] {
  return answer.steps.map((step, i) => ({
    ...step,
    n: i + 1,
    time: answer.times.find((time) => time.n === i + 1) ?? null,
    wentTo: answer.went_to
      .filter((row) => row.n === i + 1)
      .sort((one, other) => rank(one) - rank(other) || other.count - one.count),
  }))
}

const RANK: Readonly<Record<WentTo['kind'], number>> = { step: 0, other: 1, ended: 2 }

function rank(row: WentTo): number {
  return RANK[row.kind]
}

export interface Segment {
  readonly name: string
  /** One for each step. */
  readonly steps: readonly ByRow[]
}

/** Group the rows of `by` into segments, the one of most people first; what is beyond the limit last. */
export function segmentsOf(answer: FunnelAnswer, attribute: string, other: string, none: string): readonly Segment[] {
  const groups = new Map<string, ByRow[]>()
  for (const row of answer.by ?? []) {
    const name = row.kind === 'other' ? other : row.kind === 'none' ? none : String(row[attribute])
    groups.set(name, [...(groups.get(name) ?? []), row])
  }
  const last = new Set([other, none])
  return [...groups]
    .map(([name, steps]) => ({ name, steps: [...steps].sort((one, two) => one.n - two.n) }))
    .sort((one, two) => Number(last.has(one.name)) - Number(last.has(two.name)) || size(two) - size(one))
}

function size(segment: Segment): number {
  return segment.steps[0]?.count ?? 0
}

/** Of everybody who began, the share that got through; null where nobody began. */
export function conversionOf(answer: FunnelAnswer): FunnelStep['from_start'] | null {
  return answer.steps.at(-1)?.from_start ?? null
}

/** All steps, for a spreadsheet. */
export function funnelSheet(answer: FunnelAnswer): Sheet {
  return {
    columns: [
      'n', 'step', 'count', 'dropped', 'share of start', 'low', 'high', 'share of previous', 'low', 'high', 'median ms from previous',
    ],
    rows: stepRows(answer).map((row) => [
      row.n, row.step, row.count, row.dropped, row.from_start.share, row.from_start.low, row.from_start.high,
      row.from_previous.share, row.from_previous.low, row.from_previous.high, row.time?.from_previous_p50_ms,
    ]),
  }
}

/** What a person is called by elsewhere: the answer writes `u:ada` for a user, and `a:...` for a device. */
export function idOf(person: string): string {
  return /^[ua]:/.test(person) ? person.slice(2) : person
}

/** The step after which most of those who were there went no further; null where nobody dropped. */
export function largestDrop(answer: FunnelAnswer): { readonly step: string; readonly share: number } | null {
  const drops = answer.steps.slice(0, -1).map(({ step, count, dropped }) => ({ step, share: count > 0 ? dropped / count : 0 }))
  const [largest] = drops.sort((one, other) => other.share - one.share)
  return largest && largest.share > 0 ? largest : null
}

interface Node {
  readonly name: string
  readonly kind: string
  readonly people: number
  readonly conversion?: number | null
}

interface Edge {
  readonly source: string
  readonly target: string
  readonly count: number
}

/** More steps than these are read by nobody at first sight. */
const MOST_SUGGESTED = 4

/**
 * Suggest a funnel to a goal: from the step that most people take, to one that fewer people take, that makes the goal
 * likelier, and to which people go from the one before rather than the other way.
 *
 * Pages and screens without a name of their own are left out.
 */
export function suggestSteps(nodes: readonly Node[], edges: readonly Edge[], goal: string): readonly string[] {
  const end = nodes.find((node) => node.name === goal)
  if (!end) return []
  const counts = new Map(edges.map((edge) => [`${edge.source}\n${edge.target}`, edge.count]))
  const isForward = (one: Node, other: Node) =>
    (counts.get(`${one.name}\n${other.name}`) ?? 0) > (counts.get(`${other.name}\n${one.name}`) ?? 0)
  const before = nodes
    .filter((node) => node.kind === 'step' && node.name !== goal && !node.name.startsWith('$') && node.people > end.people)
    .sort((one, other) => other.people - one.people)
  const way: Node[] = []
  for (const node of before) {
    const last = way.at(-1)
    if (!last || ((node.conversion ?? 0) > (last.conversion ?? 0) && isForward(last, node))) way.push(node)
  }
  const stride = Math.max(1, (way.length - 1) / (MOST_SUGGESTED - 1))
  const chosen = Array.from({ length: MOST_SUGGESTED }, (_, i) => way[Math.round(i * stride)]?.name)
  return [...new Set([...chosen.filter((name) => name !== undefined), goal])]
}
