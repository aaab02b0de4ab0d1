/** Retention as a table of cohorts by periods, and as one curve. */

import type { Sheet } from '../shared/sheet'
import type { CohortCell, RetentionAnswer, RetentionCell, Status } from './answers'

export interface CohortRow {
  readonly cohort: string
  readonly people: number
  /** One for each column; null where the answer has none. */
  readonly cells: readonly (Shown | null)[]
}

/** A cell as it is shown: what is not over has no share to be compared, but what is there so far. */
export interface Shown {
  readonly status: Status
  readonly share: number | null
  readonly low: number | null
  readonly high: number | null
  readonly count: number
  readonly of: number
}

export interface Cohorts {
  readonly columns: readonly string[]
  readonly rows: readonly CohortRow[]
}

/** One point of the curve; `isWhole` where its period is over for everybody. */
export interface Point extends Shown {
  readonly n: string
  readonly isWhole: boolean
}

/** Lay cells out by cohort, in the order in which they come. */
export function cohortsOf(answer: RetentionAnswer, other: string, none: string): Cohorts {
  const columns = answer.overall.map((cell) => String(cell.n))
  const rows = new Map<string, { cohort: string; people: number; cells: Map<string, Shown> }>()
  for (const cell of answer.cohorts) {
    const cohort = nameOf(cell, other, none)
    const row = rows.get(cohort) ?? { cohort, people: cell.people, cells: new Map<string, Shown>() }
    row.cells.set(String(cell.n), shown(cell))
    rows.set(cohort, row)
  }
  return {
    columns,
    rows: [...rows.values()].map(({ cohort, people, cells }) => ({
      cohort, people, cells: columns.map((column) => cells.get(column) ?? null),
    })),
  }
}

/** The curve of everybody: the periods of which anything is known. */
export function curveOf(answer: RetentionAnswer): readonly Point[] {
  return answer.overall
    .filter((cell) => cell.status !== 'ahead')
    .map((cell) => ({ ...shown(cell), n: String(cell.n), isWhole: cell.status === 'over' }))
    .filter((point) => point.share !== null)
}

/** How dark a cell is, 0 to 9, beside the largest share of later periods; period 0 is nearly always full. */
export function shadeOf(cell: Shown | null, largest: number): number {
  if (cell?.share == null || largest <= 0) return 0
  return Math.min(9, Math.max(0, Math.round((cell.share / largest) * 9)))
}

/** The largest share after the first column, or of all where there is only one; 1 where nobody came back. */
export function largestShare(cohorts: Cohorts): number {
  const from = cohorts.columns.length > 1 ? 1 : 0
  const shares = cohorts.rows.flatMap((row) => row.cells.slice(from).map((cell) => cell?.share ?? 0))
  return Math.max(0, ...shares) || 1
}

/** All cells, for a spreadsheet. */
export function retentionSheet(answer: RetentionAnswer): Sheet {
  return {
    columns: ['cohort', 'people', 'period', 'status', 'count', 'of', 'share', 'low', 'high', 'count so far', 'of so far'],
    rows: answer.cohorts.map((cell) => [
      cell.cohort, cell.people, String(cell.n), cell.status, cell.count, cell.of, cell.share, cell.low, cell.high,
      cell.count_so_far, cell.of_so_far,
    ]),
  }
}

function nameOf(cell: CohortCell, other: string, none: string): string {
  if (cell.kind === 'other') return other
  return cell.cohort ?? none
}

function shown(cell: RetentionCell): Shown {
  if (cell.status === 'running') {
    const share = cell.of_so_far > 0 ? cell.count_so_far / cell.of_so_far : null
    return { status: 'running', share, low: null, high: null, count: cell.count_so_far, of: cell.of_so_far }
  }
  const { status, share, low, high, count, of } = cell
  return { status, share, low, high, count, of }
}
