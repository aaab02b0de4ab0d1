/** Channels by rows: what each model credits, and what the hold-out shows. */

import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { count, interval, number } from '../../parts/format'
import { Stacked } from '../../parts/Stacked'
import { Table, type Column } from '../../parts/Table'
import { ATTRIBUTION, MODELS, VERDICTS } from '../../text/attribution'
import { bounds, signed } from '../shared/numbers'
import type { ModelAnswer } from './answers'
import css from './attribution.module.css'
import type { ChannelRow } from './credit'
import { VERDICT_TONES } from './Drawn'

const { columns: NAMES } = ATTRIBUTION
const write = (x: number | null | undefined) => number(x, 1)

export function CreditTable({ rows, models, hasCausal }: {
  readonly rows: readonly ChannelRow[]
  readonly models: readonly ModelAnswer[]
  readonly hasCausal: boolean
}) {
  return (
    <Card title={ATTRIBUTION.table} note={ATTRIBUTION.tableNote} isFlush>
      <Table
        label={ATTRIBUTION.table} rows={rows} rowKey={(row) => row.channel} csvName="attribution-channels"
        columns={[...ABOUT, ...models.map(modelColumn), ...(hasCausal ? CAUSAL : [])]}
      />
    </Card>
  )
}

const ABOUT: readonly Column<ChannelRow>[] = [
  {
    key: 'channel', title: NAMES.channel, value: (row) => row.channel,
    cell: (row) => <>{row.channel} {row.isRare && <Badge tone="warn" title={ATTRIBUTION.rareHint}>{ATTRIBUTION.rare}</Badge>}</>,
  },
  { key: 'people', title: NAMES.people, isNumber: true, value: (row) => row.people, cell: (row) => count(row.people) },
]

function modelColumn({ model }: ModelAnswer): Column<ChannelRow> {
  return {
    key: model, title: MODELS[model]?.name ?? model, isNumber: true, about: MODELS[model]?.says ?? '',
    value: (row) => row.credits[model]?.conversions,
    cell: (row) => (
      <Stacked notes={[interval(row.credits[model]?.low, row.credits[model]?.high, write)]}>{write(row.credits[model]?.conversions)}</Stacked>
    ),
  }
}

const CAUSAL: readonly Column<ChannelRow>[] = [
  {
    key: 'caused', title: NAMES.caused, isNumber: true, value: (row) => row.caused?.incremental.estimate,
    cell: (row) => (row.caused
      ? (
        <Stacked notes={[bounds(row.caused.incremental.low, row.caused.incremental.high, (x) => signed(x))]}>
          <strong>{signed(row.caused.incremental.estimate)}</strong>
        </Stacked>
      )
      : <span className={css.muted}>{ATTRIBUTION.noHoldout}</span>),
  },
  {
    key: 'decision', title: NAMES.decision, value: (row) => row.caused && VERDICTS[row.caused.verdict],
    cell: (row) => row.caused && <Badge tone={VERDICT_TONES[row.caused.verdict]} hasDot>{VERDICTS[row.caused.verdict]}</Badge>,
  },
  { key: 'held', title: NAMES.held, isNumber: true, value: (row) => row.caused?.held, cell: (row) => count(row.caused?.held) },
  {
    key: 'off', title: NAMES.off, value: (row) => row.mostOff?.by,
    cell: (row) => row.mostOff && ATTRIBUTION.off(MODELS[row.mostOff.model]?.name ?? row.mostOff.model, signed(row.mostOff.by)),
  },
]
