/** Sinks: where messages go, and how each destination does. */

import { useQuery } from '@tanstack/react-query'
import { useMoves } from '../../api/live'
import { listSinks } from '../../api/operate'
import type { SinkView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { ago, count, duration, instant } from '../../parts/format'
import { Stacked } from '../../parts/Stacked'
import { Table, type Column } from '../../parts/Table'
import { SINKS } from '../../text/operate'
import { sortedSinks, toneOfSink } from './health'
import css from './operate.module.css'

const REFRESH_MS = 2_000
const { columns: NAMES } = SINKS

export function SinksTab() {
  const sinks = useQuery({ queryKey: ['sinks'], queryFn: ({ signal }) => listSinks(signal) })
  useMoves('progress', () => void sinks.refetch({ cancelRefetch: false }), REFRESH_MS)
  return (
    <Card title={SINKS.title} note={SINKS.note} isFlush>
      <Answer query={sinks}>
        {(found) => (
          <Table
            label={SINKS.title} rows={sortedSinks(found)} columns={columns(Date.now())} rowKey={(row) => row.name} csvName="sinks"
            empty={<Empty icon="send" title={SINKS.emptyTitle}>{SINKS.empty}</Empty>}
          />
        )}
      </Answer>
    </Card>
  )
}

function columns(now: number): readonly Column<SinkView>[] {
  return [
    { key: 'name', title: NAMES.name, value: (row) => row.name, cell: (row) => <strong>{row.name}</strong> },
    { key: 'type', title: NAMES.type, value: (row) => row.type || SINKS.notConfigured },
    {
      key: 'state', title: NAMES.state, value: (row) => SINKS.states[row.state],
      cell: (row) => <Badge tone={toneOfSink(row)} hasDot title={SINKS.stateAbout[row.state]}>{SINKS.states[row.state]}</Badge>,
    },
    {
      key: 'waiting', title: NAMES.waiting, isNumber: true, value: (row) => row.waiting,
      cell: (row) => <Stacked notes={[row.oldest_at !== null && SINKS.since(ago(row.oldest_at, now))]}>{count(row.waiting)}</Stacked>,
    },
    { key: 'dead', title: NAMES.dead, isNumber: true, value: (row) => row.dead, cell: (row) => count(row.dead) },
    { key: 'delivered', title: NAMES.delivered, isNumber: true, value: (row) => row.delivered, cell: (row) => count(row.delivered) },
    { key: 'retried', title: NAMES.retried, isNumber: true, value: (row) => row.retried, cell: (row) => count(row.retried) },
    {
      key: 'last', title: NAMES.last, isNumber: true, value: (row) => row.last_delivered_at,
      cell: (row) => (row.last_delivered_at === null ? '—' : <span title={instant(row.last_delivered_at)}>{ago(row.last_delivered_at, now)}</span>),
    },
    {
      key: 'error', title: NAMES.error, value: (row) => row.last_error,
      cell: (row) => (row.last_error ? <span className={css.reason}>{row.last_error} <span className={css.muted}>{ago(row.last_error_at, now)}</span></span> : '—'),
    },
    { key: 'rate', title: NAMES.rate, value: (row) => row.rate?.most, cell: (row) => (row.rate ? SINKS.rate(row.rate.most, duration(row.rate.per_ms)) : '—') },
  ]
}
