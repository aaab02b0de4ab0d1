/** Publishing: what becomes of people inside, seen before anything is done. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { conflictOf, publishDraft, type Policy } from '../../api/authoring'
import type { ChangeView, ChartView, FileView, PlanView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Button, LinkButton } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { Failure } from '../../parts/Failure'
import { Select } from '../../parts/Filters'
import { count } from '../../parts/format'
import { Table } from '../../parts/Table'
import { Segments } from '../../parts/Tabs'
import { COMMON } from '../../text/common'
import { AUTHOR } from '../../text/author'
import css from './Author.module.css'

const WORDS = AUTHOR.publish
const POLICIES = ['pin', 'follow', 'map'] as const

export function Publish({ file, etag, chart, onClose, onConflict }: {
  readonly file: string
  readonly etag: string
  readonly chart: ChartView | null
  readonly onClose: () => void
  readonly onConflict: (now: FileView) => void
}) {
  const [policy, setPolicy] = useState<Policy>('pin')
  const [states, setStates] = useState<Readonly<Record<string, string>>>({})
  const queries = useQueryClient()
  const asked = { etag, policy, states: policy === 'map' ? states : {} }
  const plan = useQuery({
    queryKey: ['plan', file, asked], queryFn: () => publishDraft(file, { ...asked, dry_run: true }), staleTime: 0, retry: false,
  })
  const publishing = useMutation({
    mutationFn: () => publishDraft(file, { ...asked, dry_run: false }),
    onSuccess: () => void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'plan' && query.queryKey[0] !== 'file' }),
    onError: (error) => {
      const now = conflictOf(error)
      if (now) {
        onConflict(now)
        onClose()
      }
    },
  })
  const done = publishing.data && publishing.data.refused.length === 0 ? publishing.data : null
  if (done) return <Done file={file} plan={done} />
  const isRefused = (plan.data?.refused.length ?? 1) > 0
  return (
    <Dialog
      title={WORDS.title} onClose={onClose} isWide
      actions={(
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button look="primary" disabled={isRefused || plan.isFetching} isBusy={publishing.isPending} onClick={() => publishing.mutate()}>{WORDS.go}</Button>
        </>
      )}
    >
      <div className={css.stack}>
        <p>{WORDS.lead}</p>
        <Segments label={WORDS.lead} current={policy} tabs={POLICIES.map((key) => ({ key, label: WORDS[key] }))} onChange={setPolicy} />
        <p className={css.faint}>{WORDS.about[policy]}</p>
        <h3>{WORDS.preview}</h3>
        <Answer query={plan}>
          {(found) => <Plan plan={found} states={states} chart={chart} onMap={policy === 'map' ? setStates : undefined} />}
        </Answer>
        {publishing.isError && !conflictOf(publishing.error) && <Failure error={publishing.error} />}
        {publishing.data && publishing.data.refused.length > 0 && <Refused plan={publishing.data} />}
      </div>
    </Dialog>
  )
}

function Plan({ plan, states, chart, onMap }: {
  readonly plan: PlanView
  readonly states: Readonly<Record<string, string>>
  readonly chart: ChartView | null
  readonly onMap: ((states: Readonly<Record<string, string>>) => void) | undefined
}) {
  const changes = plan.journeys.filter((change) => change.change !== 'unchanged')
  return (
    <div className={css.stack}>
      {plan.refused.length > 0 && <Refused plan={plan} />}
      {changes.length === 0 && plan.shared.length === 0 && <p>{WORDS.unchanged}</p>}
      {changes.map((change) => <Change key={change.journey} change={change} states={states} chart={chart} onMap={onMap} />)}
      {plan.shared.map((each) => <p key={each.what}><Badge tone="info">{WORDS.changes[each.change] ?? each.change}</Badge> {each.what}</p>)}
    </div>
  )
}

function Change({ change, states, chart, onMap }: {
  readonly change: ChangeView
  readonly states: Readonly<Record<string, string>>
  readonly chart: ChartView | null
  readonly onMap: ((states: Readonly<Record<string, string>>) => void) | undefined
}) {
  const targets = (chart?.states ?? []).filter((state) => state.kind === 'atomic' || state.kind === 'final')
  const choices = [{ value: '', label: WORDS.choose }, ...targets.map((state) => ({ value: state.id, label: state.id }))]
  return (
    <div>
      <p className={css.row}>
        <b>{change.journey}</b><Badge tone="info">{WORDS.changes[change.change] ?? change.change}</Badge>
        <code>{change.before ? `${change.before} → ${change.version}` : change.version}</code>
      </p>
      {change.people.length === 0 ? <p className={css.faint}>{WORDS.nobody}</p> : (
        <Table
          label={change.journey} rows={change.people} rowKey={(row) => `${row.version} ${row.state}`}
          columns={[
            { key: 'version', title: WORDS.columns.version, value: (row) => row.version, cell: (row) => <code>{row.version}</code> },
            { key: 'state', title: WORDS.columns.state, value: (row) => row.state },
            { key: 'people', title: WORDS.columns.people, value: (row) => row.n_people, cell: (row) => count(row.n_people), isNumber: true },
            {
              key: 'lands', title: WORDS.columns.lands, value: (row) => (row.stays ? WORDS.stays : (row.lands_in?.join(', ') ?? WORDS.nowhere)),
              cell: (row) => (onMap && !row.stays
                ? <Select label={row.state} isLabelHidden value={states[row.state] ?? row.lands_in?.[0] ?? ''} choices={choices} onChange={(to) => onMap(mapped(states, row.state, to))} />
                : row.stays ? WORDS.stays : row.lands_in?.join(', ') ?? <Badge tone="bad">{WORDS.nowhere}</Badge>),
            },
          ]}
        />
      )}
    </div>
  )
}

function mapped(states: Readonly<Record<string, string>>, from: string, to: string): Readonly<Record<string, string>> {
  const others = Object.entries(states).filter(([state]) => state !== from)
  return Object.fromEntries(to ? [...others, [from, to]] : others)
}

function Refused({ plan }: { readonly plan: PlanView }) {
  return (
    <div className={css.wrong} role="alert">
      <b>{WORDS.refused}</b>
      <ul>{plan.refused.map((each) => <li key={each}>{each}</li>)}</ul>
    </div>
  )
}

function Done({ file, plan }: { readonly file: string; readonly plan: PlanView }) {
  const journey = plan.journeys.find((change) => change.change !== 'unchanged')?.journey
  const queries = useQueryClient()
  const leave = () => void queries.invalidateQueries({ queryKey: ['file', file] })
  return (
    <Dialog
      title={WORDS.done} onClose={leave}
      actions={(
        <>
          <Button onClick={leave}>{COMMON.close}</Button>
          {journey && <LinkButton look="primary" to={`/journeys/${encodeURIComponent(journey)}`}>{WORDS.watch}</LinkButton>}
        </>
      )}
    >
      <p>{WORDS.doneText(journey ?? file)}</p>
    </Dialog>
  )
}
