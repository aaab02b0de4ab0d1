/** One journey: its chart with people moving in it, who is where, how long they stay, and its versions. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useParams } from 'wouter'
import { useMoves } from '../../api/live'
import { getChart, getTraffic, hold, listJourneys, listVersions } from '../../api/journeys'
import type { ChartView, JourneyView, TrafficView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Button, LinkButton } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { Figure, Figures } from '../../parts/Figure'
import { Select } from '../../parts/Filters'
import { count, duration, share } from '../../parts/format'
import { Page } from '../../parts/Page'
import { useMay } from '../../parts/session'
import { Table } from '../../parts/Table'
import { Tabs } from '../../parts/Tabs'
import { oneOf, useAddress, type Address } from '../../parts/url'
import { Spinner } from '../../parts/Waiting'
import { JOURNEY } from '../../text/journey'
import { JourneyState } from './index'
import { Inside } from './Inside'
import { insideOf } from './counts'
import css from './Journeys.module.css'
import { LiftFigure } from './Lift'
import { LiveChart } from './LiveChart'

const Versions = lazy(() => import('./Versions'))
const WORDS = JOURNEY.one
const TABS = ['chart', 'people', 'times', 'versions'] as const
/** People are seen to move about once a second. */
const LOOK_MS = 900

export default function OneJourneyPage() {
  const { name = '' } = useParams<{ name: string }>()
  const address = useAddress()
  const version = address.get('version')
  const journeys = useQuery({ queryKey: ['journeys'], queryFn: listJourneys })
  const chart = useQuery({ queryKey: ['chart', name, version], queryFn: ({ signal }) => getChart(name, version, signal), staleTime: 60_000 })
  const traffic = useQuery({ queryKey: ['traffic', name, version], queryFn: ({ signal }) => getTraffic(name, version, signal) })
  useMoves('progress', () => void traffic.refetch({ cancelRefetch: false }), LOOK_MS)
  useMoves('journeys', () => void journeys.refetch({ cancelRefetch: false }), LOOK_MS)
  const journey = journeys.data?.find((each) => each.name === name)
  return (
    <Page title={name} filters={<Bar name={name} address={address} />} actions={journey && <Actions journey={journey} />} isFull>
      <div className={css.place}>
        {journey && <Summary journey={journey} />}
        {journeys.data && !journey && chart.isError && <Empty icon="journeys" title={WORDS.missing.title}>{WORDS.missing.text}</Empty>}
        <Answer query={chart}>
          {(drawn) => <Views name={name} chart={drawn} traffic={traffic.data} address={address} />}
        </Answer>
      </div>
    </Page>
  )
}

function Bar({ name, address }: { readonly name: string; readonly address: Address }) {
  const versions = useQuery({ queryKey: ['versions', name], queryFn: () => listVersions(name) })
  const chosen = address.get('version')
  const choices = (versions.data ?? []).map((each) => ({
    value: each.is_open ? '' : each.version, label: each.is_open ? WORDS.current(each.version) : each.version,
  }))
  return <Select label={WORDS.version} value={chosen} choices={choices} onChange={(version) => address.set({ version })} />
}

function Actions({ journey }: { readonly journey: JourneyView }) {
  const queries = useQueryClient()
  const mayEdit = useMay('editor')
  const holding = useMutation({
    mutationFn: () => hold(journey.name, !journey.is_paused),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['journeys'] }),
  })
  return (
    <>
      <JourneyState journey={journey} />
      {mayEdit && (
        <Button icon={journey.is_paused ? 'play' : 'pause'} isBusy={holding.isPending} onClick={() => holding.mutate()}>
          {journey.is_paused ? WORDS.resume : WORDS.pause}
        </Button>
      )}
      <LinkButton to={`/author?journey=${encodeURIComponent(journey.name)}`} look="primary" icon="author">{JOURNEY.edit}</LinkButton>
      {holding.isError && <Failure error={holding.error} />}
    </>
  )
}

function Summary({ journey }: { readonly journey: JourneyView }) {
  return (
    <div className={css.summary}>
      <Figures>
        <Figure label={WORDS.inside} value={count(insideOf(journey))} note={journey.is_paused ? WORDS.pausedNote : undefined} />
        <Figure label={WORDS.entered} value={count(journey.entered)} />
        <Figure label={WORDS.goals} value={count(journey.goals)} note={journey.entered > 0 && WORDS.rate(share(journey.goals / journey.entered))} />
        <LiftFigure journey={journey} />
        <Figure label={WORDS.actions} value={count(journey.actions)} note={<span title={JOURNEY.about.withheld}>{WORDS.withheld(count(journey.withheld))}</span>} />
      </Figures>
    </div>
  )
}

function Views({ name, chart, traffic, address }: {
  readonly name: string
  readonly chart: ChartView
  readonly traffic: TrafficView | undefined
  readonly address: Address
}) {
  const tab = oneOf(address.get('view'), TABS)
  return (
    <Tabs
      label={WORDS.tabsLabel} current={tab} className={css.tabs ?? ''} tabs={TABS.map((key) => ({ key, label: WORDS.tabs[key] }))}
      onChange={(next) => address.set({ view: next === 'chart' ? null : next })}
    >
      {tab === 'chart' && <LiveChart name={name} chart={chart} traffic={traffic} address={address} />}
      {tab === 'people' && <div className={css.other}><Inside name={name} chart={chart} address={address} /></div>}
      {tab === 'times' && <div className={css.other}><Times chart={chart} traffic={traffic} /></div>}
      {tab === 'versions' && <div className={css.other}><Suspense fallback={<Spinner />}><Versions name={name} address={address} /></Suspense></div>}
    </Tabs>
  )
}

function Times({ chart, traffic }: { readonly chart: ChartView; readonly traffic: TrafficView | undefined }) {
  const words = WORDS.times
  const rows = chart.states.flatMap((state) => {
    const told = traffic?.states[state.id]
    return told ? [{ id: state.id, ...told }] : []
  })
  return (
    <Card title={words.label} isFlush>
      <Table
        label={words.label} rows={rows} rowKey={(row) => row.id} csvName={`${chart.journey}-times`}
        columns={[
          { key: 'id', title: words.state, value: (row) => row.id },
          { key: 'came', title: words.came, value: (row) => row.entered, cell: (row) => count(row.entered), isNumber: true },
          { key: 'left', title: words.n, value: (row) => row.left, cell: (row) => count(row.left), isNumber: true },
          { key: 'now', title: words.now, value: (row) => row.n_people, cell: (row) => count(row.n_people), isNumber: true },
          { key: 'p50', title: words.p50, value: (row) => row.dwell_ms?.p50, cell: (row) => duration(row.dwell_ms?.p50), isNumber: true },
          { key: 'p90', title: words.p90, value: (row) => row.dwell_ms?.p90, cell: (row) => duration(row.dwell_ms?.p90), isNumber: true },
        ]}
      />
    </Card>
  )
}
