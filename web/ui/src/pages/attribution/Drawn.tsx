/** The drawings of the attribution page. */

import { useCallback, useMemo } from 'react'
import { Badge, type Tone } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import type { Colours } from '../../parts/chart/colours'
import { Empty } from '../../parts/Empty'
import { count } from '../../parts/format'
import { Table } from '../../parts/Table'
import { Segments } from '../../parts/Tabs'
import { oneOf, useAddress } from '../../parts/url'
import { ATTRIBUTION, VERDICTS } from '../../text/attribution'
import { heightOf, intervalsOption } from '../shared/intervals'
import { bounds, signed } from '../shared/numbers'
import type { Credit, ModelAnswer, UnitAnswer, Verdict } from './answers'
import css from './attribution.module.css'
import { creditIntervals, nameOf, removalIntervals, unitIntervals } from './charts'
import { creditSheet, type ChannelRow } from './credit'

export const VERDICT_TONES: Readonly<Record<Verdict, Tone>> = { brings: 'good', harms: 'bad', unclear: 'plain', broken: 'warn' }
const MEASURES = ['conversions', 'shares'] as const

export function Side({ rows, models, isWaiting }: {
  readonly rows: readonly ChannelRow[]
  readonly models: readonly ModelAnswer[]
  readonly isWaiting: boolean
}) {
  const address = useAddress()
  const measure = oneOf(address.get('as'), MEASURES)
  const option = useCallback(
    (colours: Colours) => intervalsOption(creditIntervals(rows, models, measure, colours), colours), [rows, models, measure],
  )
  const sheet = useMemo(() => creditSheet(rows, models), [rows, models])
  const nSeries = models.length + (rows.some((row) => row.caused) ? 1 : 0)
  const height = heightOf({
    categories: rows.filter((row) => row.channel !== '(none)').map((row) => row.channel),
    series: Array.from({ length: nSeries }, () => ({ name: '', colour: '', points: [] })),
  })
  return (
    <Card
      title={ATTRIBUTION.sideTitle} note={ATTRIBUTION.sideNote}
      actions={
        <Segments
          label={ATTRIBUTION.measure} current={measure} onChange={(next) => address.set({ as: next === 'conversions' ? null : next })}
          tabs={[{ key: 'conversions', label: ATTRIBUTION.asConversions }, { key: 'shares', label: ATTRIBUTION.asShares }]}
        />
      }
    >
      <div aria-busy={isWaiting}>
        <Chart label={ATTRIBUTION.chart} option={option} height={height} csvName="attribution" table={sheet} />
      </div>
    </Card>
  )
}

export function Units({ units }: { readonly units: readonly UnitAnswer[] }) {
  const option = useCallback((colours: Colours) => intervalsOption(unitIntervals(units, colours), colours), [units])
  const { unitColumns: names } = ATTRIBUTION
  const notes = units.flatMap((unit) => unit.notes.map((note) => ({ of: nameOf(unit), note })))
  const table = {
    columns: [names.what, names.caused, 'low', 'high'],
    rows: units.map((unit) => [nameOf(unit), unit.incremental.estimate, unit.incremental.low, unit.incremental.high]),
  }
  return (
    <Card title={ATTRIBUTION.others} note={ATTRIBUTION.othersNote} isFlush>
      <div className={css.inset}>
        <Chart
          label={ATTRIBUTION.unitChart} option={option} csvName="hold-outs" table={table}
          height={heightOf({ categories: table.rows.map(([name]) => String(name)), series: [{ name: '', colour: '', points: [] }] })}
        />
      </div>
      <Table
        label={ATTRIBUTION.others} rows={units} rowKey={nameOf} csvName="hold-outs"
        columns={[
          { key: 'what', title: names.what, value: nameOf },
          { key: 'people', title: names.people, isNumber: true, value: (row) => row.people, cell: (row) => count(row.people) },
          { key: 'held', title: names.held, isNumber: true, value: (row) => row.held, cell: (row) => count(row.held) },
          { key: 'caused', title: names.caused, isNumber: true, value: (row) => row.incremental.estimate, cell: (row) => signed(row.incremental.estimate) },
          { key: 'interval', title: names.interval, isFixed: true, value: (row) => bounds(row.incremental.low, row.incremental.high, (x) => signed(x)) },
          { key: 'per', title: names.perThousand, isNumber: true, value: (row) => row.effect.estimate, cell: (row) => signed(row.effect.estimate === null ? null : row.effect.estimate * 1_000) },
          { key: 'decision', title: names.decision, value: (row) => VERDICTS[row.verdict], cell: (row) => <Badge tone={VERDICT_TONES[row.verdict]} hasDot>{VERDICTS[row.verdict]}</Badge> },
        ]}
      />
      {notes.length > 0 && <ul className={css.notes}>{notes.map(({ of, note }) => <li key={of + note}><strong>{of}</strong>: {note}</li>)}</ul>}
    </Card>
  )
}

export function Removal({ effects }: { readonly effects: readonly Credit[] }) {
  const option = useCallback((colours: Colours) => intervalsOption(removalIntervals(effects, colours), colours), [effects])
  return (
    <Card title={ATTRIBUTION.removal} note={ATTRIBUTION.removalNote}>
      <Chart
        label={ATTRIBUTION.removal} option={option} csvName="removal-effects"
        height={heightOf({ categories: effects.map((one) => one.channel), series: [{ name: '', colour: '', points: [] }] })}
        table={{
          columns: [ATTRIBUTION.columns.channel, ATTRIBUTION.removalAxis, 'low', 'high'],
          rows: effects.map((one) => [one.channel, one.removal_effect, one.removal_low, one.removal_high]),
        }}
      />
    </Card>
  )
}

export function NoHoldout() {
  return (
    <Card title={ATTRIBUTION.causal}>
      <Empty icon="experiments" title={ATTRIBUTION.noCausalTitle}>
        <p>{ATTRIBUTION.noCausal}</p>
        <pre className={css.example}>{ATTRIBUTION.noCausalExample}</pre>
      </Empty>
    </Card>
  )
}
