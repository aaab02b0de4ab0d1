/** Who got to a step, or got there and no further: each with a link to their page. */

import { useQuery } from '@tanstack/react-query'
import { ask } from '../../api/questions'
import type { Query } from '../../api/client'
import { Answer } from '../../parts/Answer'
import { Dialog } from '../../parts/Dialog'
import { instant } from '../../parts/format'
import { PersonLink } from '../../parts/PersonLink'
import { Table } from '../../parts/Table'
import { FUNNELS } from '../../text/funnels'
import { PATIENT } from '../shared/patience'
import type { FunnelAnswer, ListedPerson } from './answers'
import { idOf } from './reading'

const MOST = 500

export interface Wanted {
  readonly is: 'reached' | 'dropped'
  readonly n: number
  readonly step: string
}

export function Who({ asked, wanted, onClose }: { readonly asked: Query; readonly wanted: Wanted; readonly onClose: () => void }) {
  const query = { ...asked, by: '', limit: MOST, [wanted.is]: wanted.n }
  const people = useQuery({ queryKey: ['funnel', query], queryFn: ({ signal }) => ask<FunnelAnswer>('funnel', query, signal), ...PATIENT })
  const title = wanted.is === 'dropped' ? FUNNELS.whoDropped(wanted.step) : FUNNELS.whoReached(wanted.step)
  return (
    <Dialog title={title} onClose={onClose} isWide>
      <Answer query={people}>{(answer) => <People title={title} people={answer[wanted.is] ?? []} />}</Answer>
    </Dialog>
  )
}

function People({ title, people }: { readonly title: string; readonly people: readonly ListedPerson[] }) {
  const { whoColumns: names } = FUNNELS
  return (
    <Table
      label={title} rows={people} rowKey={(row) => row.person} csvName="people" perPage={12} sortedBy={{ key: 'there', isDown: true }}
      columns={[
        { key: 'person', title: names.person, value: (row) => idOf(row.person), cell: (row) => <PersonLink id={idOf(row.person)} /> },
        { key: 'began', title: names.began, value: (row) => row.began_at, cell: (row) => instant(row.began_at) },
        { key: 'there', title: names.gotThere, value: (row) => row.got_there_at, cell: (row) => instant(row.got_there_at) },
      ]}
    />
  )
}
