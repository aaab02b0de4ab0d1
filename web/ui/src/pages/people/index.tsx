/** People: found by any id, those seen last first. */

import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { findPeople } from '../../api/people'
import type { PersonFound } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { ago, count, instant } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { Page } from '../../parts/Page'
import { PersonLink } from '../../parts/PersonLink'
import { Table, type Column } from '../../parts/Table'
import { useAddress } from '../../parts/url'
import { PEOPLE } from '../../text/people'
import { askedId } from '../person/person'
import css from './people.module.css'

const MOST = 100
/** Typing asks only when it rests for so long. */
const REST_MS = 200

export default function PeoplePage() {
  const address = useAddress()
  const asked = address.get('q')
  const people = useQuery({
    queryKey: ['people', asked],
    queryFn: ({ signal }) => findPeople(asked, MOST, signal),
    placeholderData: (before) => before,
  })
  return (
    <Page title={PEOPLE.title} note={PEOPLE.about}>
      <Search asked={asked} onAsk={(q) => address.set({ q })} />
      <Answer query={people}>
        {(found) => (
          <Card title={asked ? PEOPLE.found(asked) : PEOPLE.recent} isFlush>
            <Table
              label={asked ? PEOPLE.found(asked) : PEOPLE.recent} rows={found} columns={columns(Date.now())} rowKey={(row) => row.id}
              csvName="people" empty={<Nobody asked={asked} />}
            />
          </Card>
        )}
      </Answer>
    </Page>
  )
}

function Search({ asked, onAsk }: { readonly asked: string; readonly onAsk: (query: string) => void }) {
  const [text, setText] = useState(asked)
  // A space at the end is on the way to the next word, and asks nothing else.
  useEffect(() => setText((before) => (before.trim() === asked ? before : asked)), [asked])
  useEffect(() => {
    if (text.trim() === asked) return undefined
    const timer = setTimeout(() => onAsk(text.trim()), REST_MS)
    return () => clearTimeout(timer)
  }, [text, asked, onAsk])
  return (
    <label className={css.search}>
      <Icon name="search" />
      <span className="visually-hidden">{PEOPLE.search}</span>
      <input type="search" value={text} placeholder={PEOPLE.searchHint} autoFocus onChange={(event) => setText(event.target.value)} />
    </label>
  )
}

function Nobody({ asked }: { readonly asked: string }) {
  if (asked) return <Empty icon="search" title={PEOPLE.nobodyTitle(asked)}>{PEOPLE.nobody}</Empty>
  return (
    <Empty icon="people" title={PEOPLE.emptyTitle}>
      <p>{PEOPLE.empty}</p>
      <pre className={css.command}>{PEOPLE.emptyCommand}</pre>
    </Empty>
  )
}

function columns(now: number): readonly Column<PersonFound>[] {
  const { columns: names } = PEOPLE
  return [
    { key: 'person', title: names.person, value: calledBy, cell: (row) => <PersonLink id={askedId(row)} name={calledBy(row)} /> },
    { key: 'ids', title: names.ids, value: (row) => idsOf(row).join(' '), cell: (row) => <Ids ids={idsOf(row)} /> },
    { key: 'email', title: names.email, value: (row) => row.email },
    { key: 'events', title: names.events, isNumber: true, value: (row) => row.n_events, cell: (row) => count(row.n_events) },
    { key: 'first', title: names.firstSeen, isNumber: true, value: (row) => row.first_seen_at, cell: (row) => instant(row.first_seen_at, false) },
    {
      key: 'last', title: names.lastSeen, isNumber: true, value: (row) => row.last_seen_at,
      cell: (row) => <span title={instant(row.last_seen_at)}>{ago(row.last_seen_at, now)}</span>,
    },
  ]
}

function calledBy(row: PersonFound): string {
  return row.name || askedId(row)
}

function idsOf(row: PersonFound): readonly string[] {
  return [...row.user_ids, ...row.anonymous_ids]
}

const SHOWN_IDS = 3

function Ids({ ids }: { readonly ids: readonly string[] }) {
  const more = ids.length - SHOWN_IDS
  return (
    <span className={css.ids}>
      {ids.slice(0, SHOWN_IDS).map((id) => <code key={id} title={id}>{id}</code>)}
      {more > 0 && <span>{PEOPLE.moreIds(more)}</span>}
    </span>
  )
}
