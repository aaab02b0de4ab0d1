/** The card of a person's visits. */

import { useCallback } from 'react'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import type { Colours } from '../../parts/chart/colours'
import { instant } from '../../parts/format'
import { PERSON } from '../../text/people'
import { OUTCOME } from '../../text/story'
import type { Visits } from './person'
import css from './person.module.css'
import { visitsOption } from './visitsChart'

export function VisitsCard({ visits }: { readonly visits: Visits | null }) {
  if (visits === null) return <Card title={PERSON.visits} isFlush><p className={css.none}>{PERSON.noVisits}</p></Card>
  return <Card title={PERSON.visits} note={PERSON.visitsNote}><Drawn visits={visits} /></Card>
}

function Drawn({ visits }: { readonly visits: Visits }) {
  const option = useCallback((colours: Colours) => visitsOption(visits, colours), [visits])
  const { legend } = PERSON
  return (
    <Chart
      label={PERSON.visitsShape} option={option} height={140} csvName="visits"
      table={{
        columns: [PERSON.visitColumns.began, PERSON.visitColumns.what, PERSON.visitColumns.lasted, PERSON.visitColumns.events, PERSON.visitColumns.channel],
        rows: [
          ...visits.sessions.map((one) => [
            instant(one.started_at), legend.visit, Math.round((one.ended_at - one.started_at) / 1_000), one.n_events, one.channel,
          ]),
          ...visits.actions.map((one) => [instant(one.at), OUTCOME[one.outcome], null, null, PERSON.from(one.journey, one.state)]),
          ...visits.goals.map((one) => [instant(one.at), legend.goal, null, null, one.journey]),
        ],
      }}
    />
  )
}
