/** Cohorts by periods: a table whose cells are the darker the more came back. */

import { count, interval, share } from '../../parts/format'
import { RETENTION } from '../../text/retention'
import type { Cohorts, Shown } from './reading'
import { largestShare, shadeOf } from './reading'
import css from './retention.module.css'

export function Heat({ cohorts, period, most }: { readonly cohorts: Cohorts; readonly period: string; readonly most: number }) {
  const largest = largestShare(cohorts)
  return (
    <table className={css.heat}>
      <caption className="visually-hidden">{RETENTION.table}</caption>
      <thead>
        <tr>
          <th scope="col">{RETENTION.cohort}</th>
          <th scope="col" className={css.number}>{RETENTION.people}</th>
          {cohorts.columns.map((column) => <th key={column} scope="col" className={css.number}>{period} {column}</th>)}
        </tr>
      </thead>
      <tbody>
        {cohorts.rows.slice(-most).map((row) => (
          <tr key={row.cohort}>
            <th scope="row">{row.cohort}</th>
            <td className={css.number}>{count(row.people)}</td>
            {row.cells.map((cell, i) => <Cell key={i} cell={cell} shade={shadeOf(cell, largest)} />)}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Cell({ cell, shade }: { readonly cell: Shown | null; readonly shade: number }) {
  if (cell?.share == null) return <td className={css.cell} />
  const between = interval(cell.low, cell.high)
  const says = [RETENTION.cell(cell.count, cell.of), between, RETENTION.status[cell.status]].filter(Boolean).join(', ')
  return (
    <td className={css.cell} data-shade={shade} data-status={cell.status} title={says}>
      {share(cell.share)}{RETENTION.mark[cell.status]}
    </td>
  )
}
