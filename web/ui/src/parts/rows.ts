/** Rows of a table: their order and their pages. */

import type { Cell } from './csv'

export interface Sorting {
  readonly key: string
  readonly isDown: boolean
}

/** Sort by a value: numbers as numbers, text as people read it; what is missing goes last, either way. */
export function sorted<Row>(rows: readonly Row[], value: (row: Row) => Cell, isDown: boolean): readonly Row[] {
  const sign = isDown ? -1 : 1
  return rows.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)]
    if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b))
    return sign * compare(a, b)
  })
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** From 0; the last one where there are fewer pages than were asked for. */
  readonly page: number
  readonly nPages: number
}

export function pageOf<Row>(rows: readonly Row[], page: number, perPage: number): Page<Row> {
  const nPages = Math.max(1, Math.ceil(rows.length / perPage))
  const at = Math.min(Math.max(page, 0), nPages - 1)
  return { rows: rows.slice(at * perPage, (at + 1) * perPage), page: at, nPages }
}

const WORDS = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

function compare(a: string | number | boolean, b: string | number | boolean): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : WORDS.compare(String(a), String(b))
}

function isMissing(cell: Cell): cell is null | undefined {
  return cell === null || cell === undefined || (typeof cell === 'number' && Number.isNaN(cell))
}
