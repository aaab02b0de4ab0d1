/** An experiment's effects at a glance, and whether its arms have the people they should have. */

import { useCallback } from 'react'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import type { Colours } from '../../parts/chart/colours'
import { count, share } from '../../parts/format'
import { Table } from '../../parts/Table'
import { EXPERIMENTS } from '../../text/experiments'
import { heightOf, intervalsOption } from '../shared/intervals'
import { chance } from '../shared/numbers'
import type { Report } from './answers'
import { effectIntervals } from './charts'
import css from './experiments.module.css'
import { armRows, reportSheet } from './reading'

const ONE_SERIES = [{ name: '', colour: '', points: [] }]

export function Effects({ report }: { readonly report: Report }) {
  const option = useCallback((colours: Colours) => intervalsOption(effectIntervals(report, colours), colours), [report])
  const height = heightOf({ categories: report.comparisons.map((one) => one.metric), series: ONE_SERIES })
  return (
    <Card title={EXPERIMENTS.effects} note={EXPERIMENTS.effectsNote(report.control)}>
      <Chart label={EXPERIMENTS.effectsShape} option={option} height={height} csvName="effects" table={reportSheet(report)} />
    </Card>
  )
}

export function Ratio({ report }: { readonly report: Report }) {
  const { ratio } = report
  const { armColumns: names } = EXPERIMENTS
  const p = chance(ratio.p)
  const says = ratio.p === null ? EXPERIMENTS.ratioUnknown(ratio.source) : ratio.is_mismatch ? EXPERIMENTS.ratioBad(p) : EXPERIMENTS.ratioFine(p)
  return (
    <Card title={EXPERIMENTS.ratioTitle} note={EXPERIMENTS.ratioNote(ratio.source)} isFlush>
      <p className={css.ratio}><Badge tone={ratio.p === null ? 'plain' : ratio.is_mismatch ? 'warn' : 'good'} hasDot>{says}</Badge></p>
      <Table
        label={EXPERIMENTS.ratioTitle} rows={armRows(report)} rowKey={(row) => row.variant} csvName="arms"
        columns={[
          { key: 'variant', title: names.variant, value: (row) => row.variant, cell: (row) => <>{row.variant} {row.isControl && <Badge>{EXPERIMENTS.control}</Badge>}</> },
          { key: 'people', title: names.people, isNumber: true, value: (row) => row.people, cell: (row) => count(row.people) },
          { key: 'share', title: names.share, isNumber: true, value: (row) => row.share, cell: (row) => share(row.share) },
          { key: 'expected', title: names.expected, isNumber: true, value: (row) => row.expected, cell: (row) => share(row.expected) },
        ]}
      />
    </Card>
  )
}
