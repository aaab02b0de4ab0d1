/** Dead letters: messages that were given up, with their last error; one or all can be tried again. */

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { listDead, retryDead } from '../../api/operate'
import type { Letter } from '../../api/schema'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Dialog } from '../../parts/Dialog'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { instant } from '../../parts/format'
import { PersonLink } from '../../parts/PersonLink'
import { useMay } from '../../parts/session'
import { Table, type Column } from '../../parts/Table'
import { Spinner } from '../../parts/Waiting'
import { COMMON } from '../../text/common'
import { DEAD } from '../../text/operate'
import { prettyBody } from './bodies'
import css from './operate.module.css'
import { usePages } from './usePages'

const { columns: NAMES } = DEAD

export function DeadTab() {
  const { pages, items } = usePages(['dead'], listDead)
  const [asked, setAsked] = useState<'all' | Letter | null>(null)
  const mayRetry = useMay('editor')
  const queries = useQueryClient()
  const retrying = useMutation({
    mutationFn: retryDead,
    onSettled: () => setAsked(null),
    onSuccess: () => Promise.all([queries.invalidateQueries({ queryKey: ['dead'] }), queries.invalidateQueries({ queryKey: ['status'] })]),
  })
  if (items === null) return pages.isError ? <Failure error={pages.error} onRetry={() => void pages.refetch()} /> : <Spinner />
  return (
    <Card
      title={DEAD.list} note={DEAD.note} isFlush
      actions={mayRetry && items.length > 0 && <Button icon="loop" onClick={() => setAsked('all')}>{DEAD.retryAll}</Button>}
    >
      {retrying.data && <p className={css.outcome} role="status">{DEAD.revived(retrying.data.revived)}</p>}
      {retrying.isError && <Failure error={retrying.error} />}
      <Table
        label={DEAD.list} rows={items} columns={COLUMNS} rowKey={(row) => row.action.id} csvName="dead-letters" onPick={setAsked}
        empty={<Empty icon="check" title={DEAD.emptyTitle}>{DEAD.empty}</Empty>}
        more={pages.hasNextPage && <Button isSmall isBusy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>{DEAD.more}</Button>}
      />
      {asked === 'all' && (
        <Dialog
          title={DEAD.retryAllTitle} onClose={() => setAsked(null)}
          actions={
            <>
              <Button onClick={() => setAsked(null)}>{COMMON.cancel}</Button>
              <Button look="primary" icon="loop" isBusy={retrying.isPending} onClick={() => retrying.mutate(null)}>{DEAD.retryAllGo}</Button>
            </>
          }
        >
          <p>{DEAD.retryAllText}</p>
        </Dialog>
      )}
      {asked !== null && asked !== 'all' && (
        <Dialog
          title={`${asked.action.journey}, ${asked.action.state}`} onClose={() => setAsked(null)} isWide
          actions={mayRetry && <Button look="primary" icon="loop" isBusy={retrying.isPending} onClick={() => retrying.mutate([asked.action.id])}>{DEAD.retry}</Button>}
        >
          <div className={css.stack}>
            <div><h3>{NAMES.error}</h3><p>{asked.last_error}</p></div>
            <div><h3>{DEAD.body}</h3><pre className={css.code} tabIndex={0}>{prettyBody(asked.action.body)}</pre></div>
          </div>
        </Dialog>
      )}
    </Card>
  )
}

const COLUMNS: readonly Column<Letter>[] = [
  { key: 'at', title: NAMES.at, value: (row) => row.dead_at, cell: (row) => instant(row.dead_at) },
  { key: 'what', title: NAMES.what, value: (row) => `${row.action.journey}, ${row.action.state}`, cell: (row) => <Link href={`/journeys/${encodeURIComponent(row.action.journey)}`}>{row.action.journey}, {row.action.state}</Link> },
  { key: 'person', title: NAMES.person, value: personOf, cell: (row) => <PersonLink id={personOf(row)} /> },
  { key: 'sink', title: NAMES.sink, value: (row) => row.action.sink },
  { key: 'attempts', title: NAMES.attempts, isNumber: true, value: (row) => row.attempts },
  { key: 'error', title: NAMES.error, value: (row) => row.last_error, cell: (row) => <span className={css.reason}>{row.last_error}</span> },
]

function personOf({ action }: Letter): string {
  return action.user_id ?? action.anonymous_id ?? action.profile_id.slice(2)
}
