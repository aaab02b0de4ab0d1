/** Who is inside a journey now, in which state, and since when. */

import { useInfiniteQuery } from '@tanstack/react-query'
import { listInside } from '../../api/journeys'
import type { ChartView, InsideView } from '../../api/schema'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { Select } from '../../parts/Filters'
import { ago, instant } from '../../parts/format'
import { bareId, PersonLink } from '../../parts/PersonLink'
import { Table, type Column } from '../../parts/Table'
import type { Address } from '../../parts/url'
import { Spinner } from '../../parts/Waiting'
import { JOURNEY } from '../../text/journey'

const WORDS = JOURNEY.one.people
const N_AT_ONCE = 100

/** With a state given, of that state only, as in a panel; else of the one that the address names. */
export function Inside({ name, chart, address, state }: {
  readonly name: string
  readonly chart: ChartView
  readonly address: Address
  readonly state?: string
}) {
  const chosen = state ?? address.get('state')
  const version = address.get('version')
  const inside = useInfiniteQuery({
    queryKey: ['inside', name, version, chosen],
    queryFn: ({ pageParam, signal }) => listInside(name, { state: chosen, version, after: pageParam, limit: N_AT_ONCE }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: 5_000,
  })
  if (!inside.data) return inside.isError ? <Failure error={inside.error} onRetry={() => void inside.refetch()} /> : <Spinner />
  const table = (
    <Table
      label={WORDS.label} rows={inside.data.pages.flatMap((page) => page.items)} columns={state ? NARROW : COLUMNS} csvName={`${name}-people`}
      rowKey={(person) => person.enrolment_id} perPage={state ? 12 : 25} empty={<Empty icon="people" title={WORDS.empty} />}
      more={inside.hasNextPage && (
        <Button isSmall isBusy={inside.isFetchingNextPage} onClick={() => void inside.fetchNextPage()}>{WORDS.more}</Button>
      )}
    />
  )
  if (state) return table
  const choices = chart.states.filter((each) => each.kind === 'atomic').map((each) => ({ value: each.id, label: each.id }))
  return (
    <Card
      title={WORDS.label} isFlush
      actions={<Select label={WORDS.state} value={chosen} choices={[{ value: '', label: WORDS.all }, ...choices]} onChange={(next) => address.set({ state: next })} />}
    >
      {table}
    </Card>
  )
}

const PERSON: Column<InsideView> = {
  key: 'id', title: WORDS.person, value: (person) => person.id, cell: (person) => <PersonLink id={bareId(person.id)} />,
}
const SINCE: Column<InsideView> = {
  key: 'since', title: WORDS.since, value: (person) => person.since, isNumber: true,
  cell: (person) => <span title={instant(person.since)}>{ago(person.since, Date.now())}</span>,
}
const NARROW: readonly Column<InsideView>[] = [PERSON, SINCE]
const COLUMNS: readonly Column<InsideView>[] = [
  PERSON,
  { key: 'state', title: WORDS.state, value: (person) => person.state.join(', ') },
  { key: 'key', title: WORDS.key, value: (person) => person.key },
  { key: 'version', title: WORDS.version, value: (person) => person.version, cell: (person) => <code>{person.version}</code> },
  SINCE,
]
