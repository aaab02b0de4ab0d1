/** Rehearsing: the draft over one's own history, or among invented people; what would have come of it. */

import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { cancelRehearsal, getRehearsal, startRehearsal, type Definition, type Rehearse as Asked } from '../../api/authoring'
import type { RehearsalView } from '../../api/schema'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { Failure } from '../../parts/Failure'
import { Figure, Figures } from '../../parts/Figure'
import { Select, TextField } from '../../parts/Filters'
import { count, share } from '../../parts/format'
import { Table } from '../../parts/Table'
import { Segments } from '../../parts/Tabs'
import { Progress } from '../../parts/Waiting'
import { AUTHOR } from '../../text/author'
import css from './Author.module.css'
import { affectedOf, outcomesOf, rowsOf, warningsOf, type Row } from './report'

const WORDS = AUTHOR.rehearse
const LOOK_MS = 600

export function Rehearse({ definition, id, onId, onDone, onClose }: {
  readonly definition: Definition
  /** The one that runs, or the last that did, also while nobody looks; empty: none. */
  readonly id: string
  readonly onId: (id: string) => void
  readonly onDone: (rehearsal: RehearsalView) => void
  readonly onClose: () => void
}) {
  const [asked, setAsked] = useState<Asked>({ kind: 'replay', last: '7d' })
  const starting = useMutation({ mutationFn: () => startRehearsal(asked, [definition]), onSuccess: (started) => onId(started.id) })
  const rehearsal = useQuery({
    queryKey: ['rehearsal', id],
    queryFn: ({ signal }) => getRehearsal(id, signal),
    enabled: id !== '',
    refetchInterval: (query) => (isOver(query.state.data) ? false : LOOK_MS),
  })
  const shown = id ? rehearsal.data : undefined
  useEffect(() => {
    if (shown?.state === 'done') onDone(shown)
  }, [shown, onDone])
  const isRunning = id !== '' && !isOver(shown)
  return (
    <Dialog
      title={WORDS.title} onClose={onClose} isWide={shown?.state === 'done'}
      actions={(
        <>
          {isRunning && <Button onClick={() => void cancelRehearsal(id).then(() => rehearsal.refetch())}>{WORDS.cancel}</Button>}
          {isOver(shown) && <Button onClick={() => onId('')}>{WORDS.again}</Button>}
          {!id && <Button look="primary" icon="play" isBusy={starting.isPending} onClick={() => starting.mutate()}>{WORDS.start}</Button>}
        </>
      )}
    >
      {!id && <Asking asked={asked} onChange={setAsked} />}
      {starting.isError && <Failure error={starting.error} />}
      {rehearsal.isError && <Failure error={rehearsal.error} />}
      {isRunning && (
        <div className={css.stack} role="status">
          <p>{WORDS.phases[shown?.phase ?? ''] ?? WORDS.phases['']}</p>
          <Progress label={WORDS.title} value={shown ? shown.progress : null} />
        </div>
      )}
      {shown?.state === 'failed' && <div className={css.wrong} role="alert"><b>{WORDS.failed}</b><p>{shown.error}</p><code>{shown.code}</code></div>}
      {shown?.state === 'cancelled' && <p>{WORDS.cancelled}</p>}
      {shown?.state === 'done' && shown.report && <Report report={shown.report} />}
    </Dialog>
  )
}

function Asking({ asked, onChange }: { readonly asked: Asked; readonly onChange: (asked: Asked) => void }) {
  return (
    <div className={css.stack}>
      <p className={css.faint}>{WORDS.lead}</p>
      <Segments
        label={WORDS.title} current={asked.kind} tabs={[{ key: 'replay', label: WORDS.replay }, { key: 'simulate', label: WORDS.simulate }]}
        onChange={(kind) => onChange(kind === 'replay' ? { kind, last: '7d' } : { kind, n_people: 1_000, days: 14, seed: 1 })}
      />
      <p>{asked.kind === 'replay' ? WORDS.replayText : WORDS.simulateText}</p>
      {asked.kind === 'replay' ? (
        <Select
          label={WORDS.last} value={asked.last} onChange={(last) => onChange({ ...asked, last })}
          choices={Object.entries(WORDS.lasts).map(([value, label]) => ({ value, label }))}
        />
      ) : (
        <div className={css.row}>
          <TextField label={WORDS.people} type="number" width={90} value={String(asked.n_people)} onChange={(n) => onChange({ ...asked, n_people: Number(n) })} />
          <TextField label={WORDS.days} type="number" width={70} value={String(asked.days)} onChange={(n) => onChange({ ...asked, days: Number(n) })} />
          <TextField label={WORDS.seed} type="number" width={70} value={String(asked.seed)} onChange={(n) => onChange({ ...asked, seed: Number(n) })} />
        </div>
      )}
    </div>
  )
}

function Report({ report }: { readonly report: Readonly<Record<string, unknown>> }) {
  const affected = affectedOf(report)
  const warnings = warningsOf(report)
  return (
    <div className={css.stack}>
      {affected && (
        <Figures>
          <Figure label={WORDS.affected} value={count(affected.affected)} note={`${WORDS.of(count(affected.people))} · ${share(affected.people ? affected.affected / affected.people : 0)}`} />
        </Figures>
      )}
      {warnings.length > 0 && <ul className={css.wrong} aria-label={WORDS.wrong}>{warnings.map((each) => <li key={each}>{each}</li>)}</ul>}
      {outcomesOf(report).filter((each) => each.draft).map((outcome) => (
        <Table
          key={outcome.journey} label={outcome.journey} rows={rowsOf(outcome)} rowKey={(row) => row.key} csvName={`rehearsal-${outcome.journey}`}
          columns={[
            { key: 'what', title: outcome.journey, value: nameOf, isFixed: true },
            { key: 'draft', title: WORDS.columns.draft, value: (row) => row.draft, cell: (row) => count(row.draft), isNumber: true, isFixed: true },
            { key: 'published', title: WORDS.columns.published, value: (row) => row.published, cell: (row) => count(row.published), isNumber: true, isFixed: true },
            { key: 'change', title: WORDS.columns.change, value: changeOf, cell: (row) => signed(changeOf(row)), isNumber: true, isFixed: true },
          ]}
        />
      ))}
      {affected && <p className={css.faint}>{WORDS.noEffect}</p>}
      <p className={css.faint}>{WORDS.onChart}</p>
    </div>
  )
}

function nameOf(row: Row): string {
  return row.key.startsWith('sent ') ? WORDS.sent(row.key.slice(5)) : WORDS.rows[row.key as keyof typeof WORDS.rows]
}

function changeOf(row: Row): number | null {
  return row.published === null ? null : row.draft - row.published
}

function signed(n: number | null): string {
  return n !== null && n > 0 ? `+${count(n)}` : count(n)
}

function isOver(rehearsal: RehearsalView | undefined): boolean {
  return rehearsal !== undefined && ['done', 'failed', 'cancelled'].includes(rehearsal.state)
}
