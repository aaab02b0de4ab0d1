/** One person: what they got and did not get, and why; what they did; who they are. */

import type { ProfileView } from '../../api/schema'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { ApiError } from '../../api/errors'
import { useMoves } from '../../api/live'
import { getProfile } from '../../api/people'
import { Answer } from '../../parts/Answer'
import { LinkButton } from '../../parts/Button'
import { Empty } from '../../parts/Empty'
import { Figure, Figures } from '../../parts/Figure'
import { ago, count, instant } from '../../parts/format'
import { Page } from '../../parts/Page'
import { Tabs } from '../../parts/Tabs'
import { oneOf, useAddress } from '../../parts/url'
import { PEOPLE, PERSON } from '../../text/people'
import { usePathPart } from '../shared/path'
import { About } from './About'
import { Actions } from './Actions'
import { Forget } from './Forget'
import { Journeys } from './Journeys'
import { idsOf, nameOf, visitsOf } from './person'
import css from './person.module.css'
import { actionsOf, type ActionStory, type Outcome } from './story'
import { Timeline } from './Timeline'
import { VisitsCard } from './Visits'

/** As many facts as one answer has: the newest of them. */
const MOST_FACTS = 1_000
const REFRESH_MS = 4_000

export default function PersonPage() {
  const id = usePathPart('/people/')
  // Somebody who is being forgotten is not asked for again: the stream tells of it before the answer comes.
  const [isGone, setGone] = useState(false)
  const person = useQuery({
    queryKey: ['person', id],
    queryFn: ({ signal }) => getProfile(id, MOST_FACTS, signal),
    enabled: !isGone,
  })
  useMoves('progress', () => void person.refetch({ cancelRefetch: false }), REFRESH_MS, person.isSuccess && !isGone)
  if (!isGone && person.error instanceof ApiError && person.error.status === 404) return <NotFound id={id} />
  if (person.data === undefined) return <Page title={id}><Answer query={person}>{() => null}</Answer></Page>
  return <Person profile={person.data} onGone={setGone} />
}

function NotFound({ id }: { readonly id: string }) {
  return (
    <Page title={id}>
      <Empty icon="user" title={PERSON.notFoundTitle(id)} action={<LinkButton to="/people" icon="search">{PERSON.toSearch}</LinkButton>}>
        {PERSON.notFound}
      </Empty>
    </Page>
  )
}

const TABS = ['story', 'timeline', 'about'] as const

function Person({ profile, onGone }: { readonly profile: ProfileView; readonly onGone: (isGone: boolean) => void }) {
  const address = useAddress()
  const tab = oneOf(address.get('tab'), TABS)
  const name = nameOf(profile)
  const actions = useMemo(() => actionsOf(profile.timeline), [profile])
  const visits = useMemo(() => visitsOf(profile), [profile])
  return (
    <Page title={name} note={<KnownAs profile={profile} name={name} />} actions={<Forget profile={profile} onGone={onGone} />}>
      <Summary profile={profile} actions={actions} />
      <VisitsCard visits={visits} />
      <Tabs
        label={PERSON.views} current={tab} onChange={(next) => address.set({ tab: next === 'story' ? null : next })}
        tabs={TABS.map((key) => ({ key, label: PERSON.tabs[key] }))}
      >
        {tab === 'story' && <div className={css.stack}><Actions actions={actions} /><Journeys profile={profile} /></div>}
        {tab === 'timeline' && <Timeline facts={profile.timeline} isCut={profile.timeline.length >= MOST_FACTS} />}
        {tab === 'about' && <About profile={profile} />}
      </Tabs>
    </Page>
  )
}

/** As many ids as fit beside one another; all of them stand under who they are. */
const SHOWN_IDS = 6

function KnownAs({ profile, name }: { readonly profile: ProfileView; readonly name: string }) {
  const ids = idsOf(profile).filter((one) => one.id !== name)
  return (
    <span className={css.knownAs}>
      {ids.slice(0, SHOWN_IDS).map((one) => <code key={`${one.kind}:${one.id}`} title={`${PERSON.kind[one.kind]}, ${one.how}`}>{one.id}</code>)}
      {ids.length > SHOWN_IDS && <span>{PEOPLE.moreIds(ids.length - SHOWN_IDS)}</span>}
    </span>
  )
}

function Summary({ profile, actions }: { readonly profile: ProfileView; readonly actions: readonly ActionStory[] }) {
  const now = Date.now()
  const n = (...outcomes: readonly Outcome[]) => actions.filter((one) => outcomes.includes(one.outcome)).length
  const nFailed = n('failed', 'expired')
  return (
    <Figures>
      <Figure label={PERSON.lastSeen} value={ago(profile.last_seen_at, now)} note={instant(profile.last_seen_at)} />
      <Figure label={PERSON.firstSeen} value={ago(profile.first_seen_at, now)} note={instant(profile.first_seen_at)} />
      <Figure label={PERSON.events} value={count(profile.n_events)} />
      <Figure label={PERSON.inside} value={count(profile.enrolments.length)} />
      <Figure label={PERSON.got} value={count(n('delivered'))} />
      <Figure label={PERSON.notSent} value={count(n('withheld', 'deferred'))} />
      {nFailed > 0 && <Figure label={PERSON.failed} value={count(nFailed)} tone="bad" />}
    </Figures>
  )
}
