/** Tables: rows that are sorted by a click on a column, shown a page at a time, and saved as CSV. */

import { useMemo, useState, type ReactNode } from 'react'
import { COMMON } from '../text/common'
import { Button } from './Button'
import { cx } from './cx'
import { downloadCsv, type Cell } from './csv'
import { pageOf, sorted, type Sorting } from './rows'
import css from './Table.module.css'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  /** What is sorted by and saved. */
  readonly value: (row: Row) => Cell
  /** What is drawn; by default the value. */
  readonly cell?: (row: Row) => ReactNode
  readonly isNumber?: boolean
  /** Explains the column where its name does not. */
  readonly about?: string
  readonly isFixed?: boolean
}

interface Props<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly rowKey: (row: Row) => string
  readonly sortedBy?: Sorting
  readonly perPage?: number
  /** The name of the file that CSV is saved as; without it there is no such button. */
  readonly csvName?: string
  readonly onPick?: (row: Row) => void
  readonly isPicked?: (row: Row) => boolean
  /** Where there are no rows. */
  readonly empty?: ReactNode
  /** Pages beyond those that are here, asked of the server. */
  readonly more?: ReactNode
}

export function Table<Row>(props: Props<Row>) {
  const { label, rows, columns, rowKey, perPage = 25, csvName, onPick, isPicked, empty, more } = props
  const [sorting, setSorting] = useState<Sorting | null>(props.sortedBy ?? null)
  const [page, setPage] = useState(0)
  const by = sorting && columns.find((column) => column.key === sorting.key)
  const inOrder = useMemo(
    () => (by ? sorted(rows, by.value, sorting.isDown) : rows), [rows, by, sorting],
  )
  const shown = pageOf(inOrder, page, perPage)
  if (rows.length === 0 && empty) return <>{empty}</>
  const save = () => downloadCsv(
    csvName ?? label, columns.map((column) => column.title), inOrder.map((row) => columns.map((column) => column.value(row))),
  )
  return (
    <div className={css.frame}>
      <div className={css.scroll} tabIndex={0} role="group" aria-label={label}>
        <table className={css.table}>
          <caption className="visually-hidden">{label}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head key={column.key} column={column} sorting={sorting} onSort={(next) => { setSorting(next); setPage(0) }} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.rows.map((row) => (
              <tr
                key={rowKey(row)} className={cx(onPick && css.pickable, isPicked?.(row) && css.picked)}
                onClick={onPick && (() => onPick(row))} aria-current={isPicked?.(row) || undefined}
              >
                {columns.map((column, i) => (
                  <td key={column.key} className={column.isNumber ? css.number : undefined}>
                    {onPick && i === 0
                      ? <button type="button" className={css.pick}>{draw(column, row)}</button>
                      : draw(column, row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(shown.nPages > 1 || csvName || more) && (
        <footer className={css.foot}>
          <span>{COMMON.rows(rows.length)}</span>
          <span className={css.grow} />
          {more}
          {shown.nPages > 1 && (
            <>
              <Button look="quiet" isSmall icon="left" label={COMMON.previous} disabled={shown.page === 0} onClick={() => setPage(shown.page - 1)} />
              <span>{COMMON.page(shown.page + 1, shown.nPages)}</span>
              <Button look="quiet" isSmall icon="right" label={COMMON.next} disabled={shown.page + 1 >= shown.nPages} onClick={() => setPage(shown.page + 1)} />
            </>
          )}
          {csvName && rows.length > 0 && (
            <Button look="quiet" isSmall icon="download" title={COMMON.downloadHint} onClick={save}>{COMMON.download}</Button>
          )}
        </footer>
      )}
    </div>
  )
}

function Head<Row>({ column, sorting, onSort }: {
  readonly column: Column<Row>
  readonly sorting: Sorting | null
  readonly onSort: (next: Sorting) => void
}) {
  const isBy = sorting?.key === column.key
  const next = { key: column.key, isDown: isBy ? !sorting.isDown : Boolean(column.isNumber) }
  return (
    <th
      scope="col" className={column.isNumber ? css.number : undefined} title={column.about}
      aria-sort={isBy ? (sorting.isDown ? 'descending' : 'ascending') : undefined}
    >
      {column.isFixed ? column.title : (
        <button type="button" className={css.sort} onClick={() => onSort(next)}>
          {column.title}
          <span aria-hidden className={css.arrow}>{isBy ? (sorting.isDown ? '↓' : '↑') : ''}</span>
        </button>
      )}
    </th>
  )
}

function draw<Row>(column: Column<Row>, row: Row): ReactNode {
  if (column.cell) return column.cell(row)
  const value = column.value(row)
  return value === null || value === undefined || value === '' ? COMMON.nothing : String(value)
}
