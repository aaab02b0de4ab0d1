/** Failed events: counted by reason, and each with what came; they can be tried again. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { listFailed, retryFailed, summariseFailed, type RetryVerdict } from '../../api/operate'
import type { FailedEventView, FailedRetriedList } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge, type Tone } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Dialog } from '../../parts/Dialog'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { ago, count, instant } from '../../parts/format'
import { useMay } from '../../parts/session'
import { Table, type Column } from '../../parts/Table'
import { Spinner } from '../../parts/Waiting'
import { FAILED } from '../../text/operate'
import { prettyBody } from './bodies'
import css from './operate.module.css'
import { usePages } from './usePages'

const { columns: NAMES } = FAILED
const RETRY_TONES: Readonly<Record<RetryVerdict, Tone>> = { taken: 'good', duplicate: 'plain', failed: 'bad', refused: 'warn' }

export function FailedTab() {
  const { pages, items } = usePages(['failed'], listFailed)
  const [shown, setShown] = useState<FailedEventView | null>(null)
  const mayRetry = useMay('editor')
  const queries = useQueryClient()
  const retrying = useMutation({
    mutationFn: retryFailed,
    onSuccess: () => Promise.all([queries.invalidateQueries({ queryKey: ['failed'] }), queries.invalidateQueries({ queryKey: ['failed-summary'] })]),
  })
  if (items === null) return pages.isError ? <Failure error={pages.error} onRetry={() => void pages.refetch()} /> : <Spinner />
  if (items.length === 0) return <Card><Empty icon="check" title={FAILED.emptyTitle}>{FAILED.empty}</Empty></Card>
  const ids = items.flatMap((item) => (item.id === null ? [] : [item.id]))
  return (
    <div className={css.stack}>
      <Summary />
      <Card
        title={FAILED.list} note={FAILED.listNote} isFlush
        actions={mayRetry && <Button icon="loop" isBusy={retrying.isPending} onClick={() => retrying.mutate(ids)}>{FAILED.retryShown(ids.length)}</Button>}
      >
        {retrying.data && <Outcome retried={retrying.data.retried} />}
        {retrying.isError && <Failure error={retrying.error} />}
        <Table
          label={FAILED.list} rows={items} columns={columns} rowKey={(row) => String(row.id)} csvName="failed-events" onPick={setShown}
          more={pages.hasNextPage && <Button isSmall isBusy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>{FAILED.more}</Button>}
        />
      </Card>
      {shown && <Body event={shown} onClose={() => setShown(null)} onRetry={mayRetry && shown.id !== null ? () => { retrying.mutate([shown.id!]); setShown(null) } : undefined} />}
    </div>
  )
}

const columns: readonly Column<FailedEventView>[] = [
  { key: 'received', title: NAMES.received, value: (row) => row.received_at, cell: (row) => instant(row.received_at) },
  { key: 'code', title: NAMES.code, value: (row) => row.code, cell: (row) => <Badge tone="bad">{row.code}</Badge> },
  { key: 'reason', title: NAMES.reason, value: (row) => row.reason, cell: (row) => <span className={css.reason}>{row.reason}</span> },
  { key: 'where', title: NAMES.where, value: (row) => row.path, cell: (row) => <code>{row.path}</code> },
  { key: 'source', title: NAMES.source, value: (row) => row.source },
]

function Summary() {
  const summary = useQuery({ queryKey: ['failed-summary'], queryFn: ({ signal }) => summariseFailed(signal) })
  const now = Date.now()
  return (
    <Card title={FAILED.summary} note={FAILED.summaryNote} isFlush>
      <Answer query={summary}>
        {(kinds) => (
          <Table
            label={FAILED.summary} rows={kinds} rowKey={(row) => `${row.code} ${row.source}`} csvName="failed-by-reason"
            columns={[
              { key: 'code', title: NAMES.code, value: (row) => row.code, cell: (row) => <Badge tone="bad">{row.code}</Badge> },
              { key: 'source', title: NAMES.source, value: (row) => row.source },
              { key: 'n', title: NAMES.n, isNumber: true, value: (row) => row.n, cell: (row) => count(row.n) },
              { key: 'last', title: NAMES.last, isNumber: true, value: (row) => row.last_at, cell: (row) => <span title={instant(row.last_at)}>{ago(row.last_at, now)}</span> },
            ]}
          />
        )}
      </Answer>
    </Card>
  )
}

function Outcome({ retried }: FailedRetriedList) {
  const nTaken = retried.filter((one) => one.verdict === 'taken').length
  return (
    <div className={css.outcome} role="status">
      <p>{FAILED.retried(retried.length, nTaken)}</p>
      <ul>
        {retried.filter((one) => one.verdict !== 'taken').slice(0, 5).map((one) => (
          <li key={one.id}><Badge tone={RETRY_TONES[one.verdict]}>{FAILED.verdicts[one.verdict]}</Badge> {one.reason}</li>
        ))}
      </ul>
    </div>
  )
}

function Body({ event, onClose, onRetry }: {
  readonly event: FailedEventView
  readonly onClose: () => void
  readonly onRetry: (() => void) | undefined
}) {
  return (
    <Dialog
      title={event.code} onClose={onClose} isWide
      actions={onRetry && <Button look="primary" icon="loop" onClick={onRetry}>{FAILED.retry}</Button>}
    >
      <div className={css.stack}>
        <div><h3>{FAILED.cause}</h3><p>{event.reason}</p><p className={css.muted}><code>{event.path}</code> · {event.source} · {instant(event.received_at)}</p></div>
        <div><h3>{FAILED.body}</h3><pre className={css.code} tabIndex={0}>{prettyBody(event.body)}</pre></div>
      </div>
    </Dialog>
  )
}
