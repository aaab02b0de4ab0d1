/** Experiments: all that anybody met. */

import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { ApiError } from '../../api/errors'
import { askExperiments } from '../../api/experiments'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { count, instant } from '../../parts/format'
import { Page } from '../../parts/Page'
import { Table, type Column } from '../../parts/Table'
import { ALLOCATIONS, EXPERIMENTS } from '../../text/experiments'
import { PATIENT } from '../shared/patience'
import type { Listed, Listing } from './answers'
import css from './experiments.module.css'

export default function ExperimentsPage() {
  const experiments = useQuery({ queryKey: ['experiments'], queryFn: ({ signal }) => askExperiments<Listing>(signal), ...PATIENT })
  const isEmpty = experiments.error instanceof ApiError && experiments.error.status === 404
  return (
    <Page title={EXPERIMENTS.title} note={EXPERIMENTS.about}>
      {isEmpty ? <Nothing /> : (
        <Answer query={experiments}>
          {({ experiments: rows }) => (rows.length === 0 ? <Nothing /> : (
            <Card isFlush>
              <Table label={EXPERIMENTS.title} rows={rows} columns={COLUMNS} rowKey={(row) => row.experiment} csvName="experiments" />
            </Card>
          ))}
        </Answer>
      )}
    </Page>
  )
}

const { columns: NAMES } = EXPERIMENTS

const COLUMNS: readonly Column<Listed>[] = [
  { key: 'experiment', title: NAMES.experiment, value: (row) => row.experiment, cell: (row) => <Link href={`/experiments/${encodeURIComponent(row.experiment)}`}><strong>{row.experiment}</strong></Link> },
  { key: 'people', title: NAMES.people, isNumber: true, value: (row) => row.people, cell: (row) => count(row.people) },
  {
    key: 'variants', title: NAMES.variants, isFixed: true, value: (row) => Object.entries(row.variants).map(([name, n]) => `${name} ${n}`).join(', '),
    cell: (row) => <span className={css.variants}>{Object.entries(row.variants).map(([name, n]) => <Badge key={name} tone="info">{name} {count(n)}</Badge>)}</span>,
  },
  { key: 'allocation', title: NAMES.allocation, value: (row) => ALLOCATIONS[row.allocation] },
  {
    key: 'ratio', title: NAMES.ratio, value: (row) => (row.is_mismatch ? EXPERIMENTS.mismatch : EXPERIMENTS.fine),
    cell: (row) => (
      <>
        <Badge tone={row.is_mismatch ? 'warn' : 'good'} hasDot>{row.is_mismatch ? EXPERIMENTS.mismatch : EXPERIMENTS.fine}</Badge>
        {row.multiple > 0 && <span className={css.muted}> {EXPERIMENTS.several(row.multiple)}</span>}
      </>
    ),
  },
  { key: 'first', title: NAMES.first, value: (row) => row.first_at_ms, cell: (row) => instant(row.first_at_ms, false) },
  { key: 'last', title: NAMES.last, value: (row) => row.last_at_ms, cell: (row) => instant(row.last_at_ms, false) },
]

function Nothing() {
  return (
    <Empty icon="experiments" title={EXPERIMENTS.emptyTitle}>
      <p>{EXPERIMENTS.empty}</p>
      <pre className={css.example}>{EXPERIMENTS.emptyExample}</pre>
    </Empty>
  )
}
