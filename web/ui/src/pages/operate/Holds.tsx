/** Holds: one journey or everything stands still, or goes on; each is confirmed first. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { listJourneys } from '../../api/journeys'
import { hold, listSinks, type HoldName } from '../../api/operate'
import type { JourneyView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Dialog } from '../../parts/Dialog'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { count } from '../../parts/format'
import { useMay } from '../../parts/session'
import { Table, type Column } from '../../parts/Table'
import { COMMON } from '../../text/common'
import { HOLDS } from '../../text/operate'
import { insideOf } from '../journeys/counts'
import css from './operate.module.css'

interface Asked {
  readonly name: HoldName
  readonly journey: string
  readonly title: string
  readonly text: string
  readonly go: string
}

/** Others hold, too. */
const LOOK_MS = 5_000

const STOP: Asked = { name: '$stop', journey: '', title: HOLDS.stopTitle, text: HOLDS.stopText, go: HOLDS.stop }
const RELEASE: Asked = { name: '$release', journey: '', title: HOLDS.releaseTitle, text: HOLDS.releaseText, go: HOLDS.release }

export function HoldsTab() {
  const queries = useQueryClient()
  const mayHold = useMay('editor')
  const journeys = useQuery({ queryKey: ['journeys'], queryFn: listJourneys, refetchInterval: LOOK_MS })
  const [asked, setAsked] = useState<Asked | null>(null)
  const holding = useMutation({
    mutationFn: ({ name, journey }: Asked) => hold(name, journey),
    onSuccess: async () => {
      setAsked(null)
      await Promise.all([queries.invalidateQueries({ queryKey: ['journeys'] }), queries.invalidateQueries({ queryKey: ['sinks'] })])
    },
  })
  return (
    <div className={css.stack}>
      <All stopped={holding.data?.stopped} onAsk={mayHold ? setAsked : undefined} />
      <Card title={HOLDS.journeys} note={mayHold ? HOLDS.journeysNote : HOLDS.viewer} isFlush>
        <Answer query={journeys}>
          {(found) => (
            <Table
              label={HOLDS.journeys} rows={found} columns={columns(mayHold ? setAsked : undefined)} rowKey={(row) => `${row.name} ${row.version}`}
              empty={<Empty icon="journeys" title={HOLDS.emptyTitle}>{HOLDS.empty}</Empty>}
            />
          )}
        </Answer>
      </Card>
      {asked && (
        <Dialog
          title={asked.title} onClose={() => setAsked(null)}
          actions={
            <>
              <Button onClick={() => setAsked(null)}>{COMMON.cancel}</Button>
              <Button look={asked.name === '$stop' ? 'danger' : 'primary'} isBusy={holding.isPending} onClick={() => holding.mutate(asked)}>
                {asked.go.replace('…', '')}
              </Button>
            </>
          }
        >
          <p>{asked.text}</p>
          {holding.isError && <Failure error={holding.error} />}
        </Dialog>
      )}
    </div>
  )
}

/** That all is stopped is told by the sinks; without any, by the last hold of this page. */
function All({ stopped, onAsk }: { readonly stopped: boolean | undefined; readonly onAsk: ((asked: Asked) => void) | undefined }) {
  const sinks = useQuery({ queryKey: ['sinks'], queryFn: ({ signal }) => listSinks(signal), refetchInterval: LOOK_MS })
  const isStopped = sinks.data?.length ? sinks.data.some((sink) => sink.state === 'held') : (stopped ?? false)
  return (
    <Card
      title={HOLDS.all} note={HOLDS.allNote}
      actions={onAsk && (
        <>
          {isStopped && <Button look="primary" icon="play" onClick={() => onAsk(RELEASE)}>{HOLDS.release}</Button>}
          {!isStopped && <Button look="danger" icon="pause" onClick={() => onAsk(STOP)}>{HOLDS.stop}</Button>}
        </>
      )}
    >
      <Badge tone={isStopped ? 'bad' : 'good'} hasDot>{isStopped ? HOLDS.stopped : HOLDS.goes}</Badge>
    </Card>
  )
}

function columns(onAsk: ((asked: Asked) => void) | undefined): readonly Column<JourneyView>[] {
  const { columns: names } = HOLDS
  return [
    { key: 'journey', title: names.journey, value: (row) => row.name, cell: (row) => <Link href={`/journeys/${encodeURIComponent(row.name)}`}><strong>{row.name}</strong></Link> },
    { key: 'version', title: names.version, value: (row) => row.version, cell: (row) => <code>{row.version}</code> },
    { key: 'inside', title: names.inside, isNumber: true, value: insideOf, cell: (row) => count(insideOf(row)) },
    {
      key: 'state', title: names.state, value: stateOf,
      cell: (row) => <Badge tone={row.is_paused ? 'warn' : row.is_open ? 'good' : 'plain'} hasDot>{stateOf(row)}</Badge>,
    },
    ...(onAsk ? [{
      key: 'action', title: names.action, isFixed: true, value: () => null,
      cell: (row: JourneyView) => (row.is_paused
        ? <Button isSmall icon="play" onClick={() => onAsk({ name: '$resume', journey: row.name, title: HOLDS.resumeTitle(row.name), text: HOLDS.resumeText, go: HOLDS.resume })}>{HOLDS.resume}</Button>
        : <Button isSmall icon="pause" onClick={() => onAsk({ name: '$pause', journey: row.name, title: HOLDS.pauseTitle(row.name), text: HOLDS.pauseText(insideOf(row)), go: HOLDS.pause })}>{HOLDS.pause}</Button>),
    }] : []),
  ]
}

function stateOf(row: JourneyView): string {
  return row.is_paused ? HOLDS.paused : row.is_open ? HOLDS.running : HOLDS.closed
}
