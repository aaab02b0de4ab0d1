/** A person's journeys: each opens to why they did, or did not, get what it sends. */

import type { ProfileView } from '../../api/schema'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { listJourneys } from '../../api/journeys'
import { explain } from '../../api/people'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { LinkButton } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { Select } from '../../parts/Filters'
import { ago } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useAddress } from '../../parts/url'
import { PERSON } from '../../text/people'
import { askedId, journeysOf } from './person'
import css from './person.module.css'
import { Explained } from './Run'

export function Journeys({ profile }: { readonly profile: ProfileView }) {
  const address = useAddress()
  const open = address.all('why')
  const known = journeysOf(profile)
  const asked = open.filter((name) => !known.some((one) => one.name === name)).map((name) => ({ name, isInside: false }))
  const toggle = (name: string, isOpen: boolean) =>
    address.set({ why: isOpen ? [...open.filter((one) => one !== name), name] : open.filter((one) => one !== name) })
  const shown = [...known, ...asked]
  // What was just asked for stands last, maybe below a long story: the answer is brought into view.
  const [brought, setBrought] = useState('')
  return (
    <Card
      title={PERSON.journeys} note={PERSON.journeysNote} isFlush
      actions={<AskAnother taken={shown.map((one) => one.name)} onAsk={(name) => { setBrought(name); toggle(name, true) }} />}
    >
      {shown.length === 0 && <Empty icon="journeys" title={PERSON.neverEntered}>{PERSON.noJourneys}</Empty>}
      <ul className={css.journeys}>
        {shown.map(({ name }) => (
          <li key={name} ref={name === brought ? bring : undefined}>
            <One name={name} profile={profile} isOpen={open.includes(name)} onToggle={(isOpen) => toggle(name, isOpen)} />
          </li>
        ))}
      </ul>
    </Card>
  )
}

function bring(row: HTMLElement | null): void {
  row?.scrollIntoView({ block: 'center' })
}

function AskAnother({ taken, onAsk }: { readonly taken: readonly string[]; readonly onAsk: (name: string) => void }) {
  const journeys = useQuery({ queryKey: ['journeys'], queryFn: listJourneys })
  const names = [...new Set((journeys.data ?? []).map((one) => one.name))].filter((name) => !taken.includes(name)).sort()
  if (names.length === 0) return null
  return (
    <Select
      label={PERSON.askWhy} value="" onChange={(name) => name && onAsk(name)}
      choices={[{ value: '', label: PERSON.choose }, ...names.map((name) => ({ value: name, label: name }))]}
    />
  )
}

function One({ name, profile, isOpen, onToggle }: {
  readonly name: string
  readonly profile: ProfileView
  readonly isOpen: boolean
  readonly onToggle: (isOpen: boolean) => void
}) {
  const now = Date.now()
  const inside = profile.enrolments.filter((one) => one.journey === name)
  return (
    <section className={css.journey}>
      <header className={css.journeyHead}>
        <button type="button" className={css.toggle} aria-expanded={isOpen} onClick={() => onToggle(!isOpen)}>
          <Icon name={isOpen ? 'down' : 'right'} />
          <strong>{name}</strong>
        </button>
        {inside.map((one) => (
          <span key={one.id} className={css.place}>
            <Badge tone="accent" hasDot>{PERSON.inState(one.state.join(', '))}</Badge>
            {one.key && <code>{one.key}</code>}
            {one.next_timer_at !== null && <span>{PERSON.nextTimer} {ago(one.next_timer_at, now)}</span>}
          </span>
        ))}
        <span className={css.grow} />
        <LinkButton
          to={`/journeys/${encodeURIComponent(name)}${inside[0]?.state[0] ? `?at=${encodeURIComponent(inside[0].state[0])}` : ''}`}
          look="quiet" icon="journeys" isSmall
        >
          {PERSON.toChart}
        </LinkButton>
      </header>
      {isOpen && <Why name={name} profile={profile} />}
    </section>
  )
}

function Why({ name, profile }: { readonly name: string; readonly profile: ProfileView }) {
  const id = askedId(profile)
  // A person who did something since is asked about anew.
  const why = useQuery({
    queryKey: ['why', id, name, profile.last_seen_at, profile.timeline.length],
    queryFn: ({ signal }) => explain(name, id, signal),
    placeholderData: (before) => before,
  })
  return <div className={css.explained}><Answer query={why}>{(view) => <Explained view={view} />}</Answer></div>
}
