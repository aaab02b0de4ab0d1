/** The ledger of forgetting: when, by whom, why, and how far it is; for administrators. Nothing in it names anybody. */

import { useQuery } from '@tanstack/react-query'
import { listForgotten } from '../../api/people'
import type { ForgottenRow } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { count, duration, instant } from '../../parts/format'
import { Table, type Column } from '../../parts/Table'
import { FORGOTTEN } from '../../text/operate'
import css from './operate.module.css'

/** While something is being erased, one sees how far it is. */
const LOOK_MS = 2_000
const { columns: NAMES } = FORGOTTEN

export function ForgottenTab() {
  const ledger = useQuery({
    queryKey: ['forgotten'],
    queryFn: ({ signal }) => listForgotten(signal),
    refetchInterval: ({ state }) => (state.data?.every((row) => row.finished_at !== null) ? false : LOOK_MS),
  })
  return (
    <Card title={FORGOTTEN.title} note={FORGOTTEN.note} isFlush>
      <Answer query={ledger}>
        {(rows) => (
          <Table
            label={FORGOTTEN.title} rows={rows} columns={COLUMNS} rowKey={(row) => row.request_id} csvName="forgotten"
            empty={<Empty icon="user" title={FORGOTTEN.emptyTitle}>{FORGOTTEN.empty}</Empty>}
          />
        )}
      </Answer>
    </Card>
  )
}

const COLUMNS: readonly Column<ForgottenRow>[] = [
  { key: 'at', title: NAMES.at, value: (row) => row.at, cell: (row) => instant(row.at) },
  { key: 'by', title: NAMES.by, value: (row) => row.by },
  { key: 'reason', title: NAMES.reason, value: (row) => row.reason, cell: (row) => <span className={css.reason}>{row.reason || '—'}</span> },
  {
    key: 'stage', title: NAMES.stage, value: stageOf,
    cell: (row) => <Badge tone={row.finished_at === null ? 'accent' : 'good'} hasDot title={row.request_id}>{stageOf(row)}</Badge>,
  },
  { key: 'ids', title: NAMES.ids, isNumber: true, value: (row) => row.hashes.length, cell: (row) => count(row.hashes.length) },
  { key: 'events', title: NAMES.events, isNumber: true, value: (row) => row.n_events, cell: (row) => count(row.n_events) },
  { key: 'facts', title: NAMES.facts, isNumber: true, value: (row) => row.n_facts, cell: (row) => count(row.n_facts) },
  { key: 'withheld', title: NAMES.withheld, isNumber: true, value: (row) => row.n_withheld, cell: (row) => count(row.n_withheld) },
  { key: 'failed', title: NAMES.failed, isNumber: true, value: (row) => row.n_failed, cell: (row) => count(row.n_failed) },
  { key: 'files', title: NAMES.files, isNumber: true, value: (row) => row.n_files, cell: (row) => count(row.n_files) },
  { key: 'took', title: NAMES.took, isNumber: true, value: (row) => row.took_ms, cell: (row) => (row.finished_at === null ? '—' : duration(row.took_ms)) },
]

function stageOf(row: ForgottenRow): string {
  return FORGOTTEN.stages[row.stage] ?? row.stage
}
