/** Every journey in force: its state, its people, its goals, and what it brings about. */

import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { useMoves } from '../../api/live'
import { listJourneys } from '../../api/journeys'
import type { JourneyView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { LinkButton } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { count, share } from '../../parts/format'
import { Page } from '../../parts/Page'
import { Table, type Column } from '../../parts/Table'
import { JOURNEY } from '../../text/journey'
import { insideOf } from './counts'
import css from './Journeys.module.css'
import { LiftCell } from './Lift'

/** Counts are looked at again at most so often while people move. */
const LOOK_MS = 1_000
const TITLES = JOURNEY.columns

const COLUMNS: readonly Column<JourneyView>[] = [
  { key: 'name', title: TITLES.name, value: (journey) => journey.name, cell: (journey) => <Link className={css.name} href={`/journeys/${encodeURIComponent(journey.name)}`}>{journey.name}</Link> },
  { key: 'state', title: TITLES.state, value: stateOf, cell: (journey) => <JourneyState journey={journey} /> },
  { key: 'inside', title: TITLES.inside, value: insideOf, cell: (journey) => count(insideOf(journey)), isNumber: true },
  { key: 'entered', title: TITLES.entered, value: (journey) => journey.entered, cell: (journey) => count(journey.entered), isNumber: true },
  { key: 'goals', title: TITLES.goals, value: (journey) => journey.goals, cell: (journey) => count(journey.goals), isNumber: true },
  { key: 'rate', title: TITLES.rate, about: JOURNEY.about.rate, value: rateOf, cell: (journey) => share(rateOf(journey)), isNumber: true },
  { key: 'actions', title: TITLES.actions, value: (journey) => journey.actions, cell: (journey) => count(journey.actions), isNumber: true },
  { key: 'withheld', title: TITLES.withheld, about: JOURNEY.about.withheld, value: (journey) => journey.withheld, cell: (journey) => count(journey.withheld), isNumber: true },
  { key: 'lift', title: TITLES.lift, about: JOURNEY.about.lift, value: () => null, cell: (journey) => <LiftCell journey={journey} />, isFixed: true },
]

export default function JourneysPage() {
  const journeys = useQuery({ queryKey: ['journeys'], queryFn: listJourneys })
  useMoves('journeys', () => void journeys.refetch({ cancelRefetch: false }), LOOK_MS)
  return (
    <Page title={JOURNEY.title} note={JOURNEY.note} actions={<LinkButton to="/author" look="primary" icon="plus">{JOURNEY.author}</LinkButton>}>
      <Answer query={journeys}>
        {(found) => (
          <Card isFlush>
            <Table
              label={JOURNEY.title} rows={found} columns={COLUMNS} rowKey={(journey) => journey.name} csvName="journeys"
              sortedBy={{ key: 'name', isDown: false }}
              empty={<Empty icon="journeys" title={JOURNEY.empty.title} action={<LinkButton to="/author" look="primary">{JOURNEY.author}</LinkButton>}>{JOURNEY.empty.text}</Empty>}
            />
          </Card>
        )}
      </Answer>
    </Page>
  )
}

export function JourneyState({ journey }: { readonly journey: JourneyView }) {
  const state = stateOf(journey)
  const tone = { open: 'good', paused: 'warn', closed: 'plain' } as const
  return <Badge tone={tone[state]} hasDot title={state === 'closed' ? JOURNEY.closed : undefined}>{JOURNEY.states[state]}</Badge>
}

function rateOf(journey: JourneyView): number | null {
  return journey.entered > 0 ? journey.goals / journey.entered : null
}

function stateOf(journey: JourneyView): 'open' | 'paused' | 'closed' {
  return journey.is_paused ? 'paused' : journey.is_open ? 'open' : 'closed'
}
