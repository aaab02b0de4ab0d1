/** Charts: one drawing of some rows, and the same rows as a table for who cannot or will not look. */

import type { EChartsCoreOption, EChartsType } from 'echarts/core'
import { useEffect, useRef, useState } from 'react'
import { COMMON } from '../../text/common'
import { Button } from '../Button'
import { downloadCsv, type Cell } from '../csv'
import { Table } from '../Table'
import { useColourValues, type Colours } from './colours'
import css from './Chart.module.css'

interface Props {
  /** What the chart says, in a sentence: read out, and the table's caption. */
  readonly label: string
  /** Anew where the data changes; keep it with useCallback or useMemo. */
  readonly option: (colours: Colours) => EChartsCoreOption
  readonly height?: number
  /** The same in rows. */
  readonly table: { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  readonly csvName: string
  /** A part of the drawing was clicked: what ECharts says of it. */
  readonly onPick?: (part: { readonly name: string; readonly data: unknown; readonly dataType?: string }) => void
}

export function Chart({ label, option, height = 260, table, csvName, onPick }: Props) {
  const [isTable, setIsTable] = useState(false)
  return (
    <figure className={css.figure} aria-label={label}>
      <div className={css.tools}>
        <Button
          look="quiet" isSmall icon={isTable ? 'chart' : 'table'} label={isTable ? COMMON.asChart : COMMON.asTable}
          aria-pressed={isTable} onClick={() => setIsTable(!isTable)}
        />
        <Button
          look="quiet" isSmall icon="download" label={COMMON.downloadHint}
          onClick={() => downloadCsv(csvName, table.columns, table.rows)}
        />
      </div>
      {isTable
        ? <RowsTable label={label} table={table} />
        : <Drawing label={label} option={option} height={height} onPick={onPick} />}
    </figure>
  )
}

function RowsTable({ label, table }: Pick<Props, 'label' | 'table'>) {
  const rows = table.rows.map((cells, i) => ({ cells, i }))
  return (
    <Table
      label={label} rows={rows} rowKey={(row) => String(row.i)} perPage={12}
      columns={table.columns.map((title, at) => ({
        key: String(at), title, value: (row: { readonly cells: readonly Cell[] }) => row.cells[at],
        isNumber: typeof table.rows[0]?.[at] === 'number',
      }))}
    />
  )
}

function Drawing({ label, option, height, onPick }: {
  readonly label: string
  readonly option: Props['option']
  readonly height: number
  readonly onPick: Props['onPick']
}) {
  const place = useRef<HTMLDivElement>(null)
  const [chart, setChart] = useState<EChartsType | null>(null)
  const [failure, setFailure] = useState<unknown>(null)
  const colours = useColourValues()
  useEffect(() => {
    let made: EChartsType | null = null
    let isOver = false
    const watcher = new ResizeObserver(() => made?.resize())
    void import('./echarts').then(({ init, useColours }) => {
      if (isOver || !place.current) return
      made = init(place.current, useColours(colours), { renderer: 'canvas' })
      watcher.observe(place.current)
      setChart(made)
    }).catch((error: unknown) => { if (!isOver) setFailure(error) })
    return () => {
      isOver = true
      watcher.disconnect()
      made?.dispose()
      setChart(null)
    }
  }, [colours])
  useEffect(() => {
    chart?.setOption({ animationDuration: 250, ...option(colours) }, { notMerge: true })
  }, [chart, option, colours])
  useEffect(() => {
    if (!chart || !onPick) return undefined
    const picked = (part: unknown) => onPick(part as Parameters<typeof onPick>[0])
    chart.on('click', picked)
    return () => { chart.off('click', picked) }
  }, [chart, onPick])
  if (failure !== null) throw failure
  return <div ref={place} className={css.drawing} role="img" aria-label={label} style={{ height }} data-ready={chart ? '' : undefined} />
}
