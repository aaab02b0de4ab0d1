/** The chart of a journey with its people: where they are, which ways they took, and what is known of a place. */

import { useEffect, useMemo, useRef } from 'react'
import type { ChartView, TrafficView } from '../../api/schema'
import { Badge } from '../../parts/Badge'
import { count, duration, share, shortCount } from '../../parts/format'
import { JourneyChart, type Numbers } from '../../parts/journey/JourneyChart'
import { Facts, Panel, PanelPart } from '../../parts/Panel'
import type { Address } from '../../parts/url'
import { JOURNEY } from '../../text/journey'
import { Inside } from './Inside'
import css from './Journeys.module.css'

const WORDS = JOURNEY.one

export function LiveChart({ name, chart, traffic, address }: {
  readonly name: string
  readonly chart: ChartView
  readonly traffic: TrafficView | undefined
  readonly address: Address
}) {
  const numbers = useNumbers(traffic)
  const picked = address.get('at')
  return (
    <div className={css.chartPlace}>
      <div className={css.chart}>
        <Rules chart={chart} numbers={numbers} />
        <div className={css.drawing}>
          <JourneyChart
            chart={chart} numbers={numbers} picked={picked} onPick={(id) => address.set({ at: id === picked ? null : id })}
          />
        </div>
      </div>
      {picked && <Picked name={name} id={picked} chart={chart} traffic={traffic} address={address} />}
    </div>
  )
}

/** What holds in every state: the goal, what ends it, and how many are held out. */
function Rules({ chart, numbers }: { readonly chart: ChartView; readonly numbers: Numbers }) {
  const way = (trigger: 'goal' | 'exit') => chart.ways.find((each) => each.trigger === trigger)
  const [goal, exit] = [way('goal'), way('exit')]
  return (
    <ul className={css.rules}>
      {goal && <li><Badge tone="good">{WORDS.goal}</Badge><span>{goal.label}</span><b>{numbers.ways[goal.id]}</b></li>}
      {exit && <li><Badge tone="warn">{WORDS.exit}</Badge><span>{exit.label}</span><b>{numbers.ways[exit.id]}</b></li>}
      {chart.holdout && <li><Badge>{WORDS.holdout}</Badge><span>{chart.holdout}</span></li>}
    </ul>
  )
}

/** Numbers as the chart writes them; a state that somebody came into since the last look lights up. */
function useNumbers(traffic: TrafficView | undefined): Numbers {
  const before = useRef<TrafficView | undefined>(undefined)
  const numbers = useMemo<Numbers>(() => {
    if (!traffic) return { states: {}, ways: {} }
    const states = Object.entries(traffic.states).map(([id, told]) => [id, {
      text: shortCount(told.n_people),
      title: WORDS.stateTitle(count(told.n_people), count(told.entered), count(told.left)),
      isLit: before.current !== undefined && told.entered > (before.current.states[id]?.entered ?? 0),
    }] as const)
    const ways = Object.entries(traffic.ways).map(([id, n]) => [id, shortCount(n)] as const)
    return { states: Object.fromEntries(states.filter(([, told]) => told.text !== '0' || told.isLit)), ways: Object.fromEntries(ways) }
  }, [traffic])
  useEffect(() => {
    before.current = traffic
  }, [traffic])
  return numbers
}

function Picked({ name, id, chart, traffic, address }: {
  readonly name: string
  readonly id: string
  readonly chart: ChartView
  readonly traffic: TrafficView | undefined
  readonly address: Address
}) {
  const words = WORDS.picked
  const state = chart.states.find((each) => each.id === id)
  const way = chart.ways.find((each) => each.id === id)
  if (!state && !way) return null
  const told = state ? traffic?.states[state.id] : undefined
  const took = way ? traffic?.ways[way.id] : undefined
  const left = way ? traffic?.states[way.source]?.left : undefined
  const rows: readonly (readonly [string, string])[] = state
    ? [
        [words.now, count(told?.n_people ?? 0)], [words.entered, count(told?.entered ?? 0)], [words.left, count(told?.left ?? 0)],
        [words.dwell, duration(told?.dwell_ms?.p50)], [words.dwell90, duration(told?.dwell_ms?.p90)],
      ]
    : [[words.took, count(took ?? 0)], ...(left ? [[words.share, share((took ?? 0) / left)] as const] : [])]
  return (
    <Panel
      kind={state ? words.state : words.way} title={state?.label ?? way?.label ?? ''} close={words.close}
      onClose={() => address.set({ at: null })}
    >
      <PanelPart><Facts rows={rows} /></PanelPart>
      {state && state.does.length > 0 && (
        <PanelPart><h3>{words.does}</h3><ul>{state.does.map((each) => <li key={each}>{each}</li>)}</ul></PanelPart>
      )}
      {state && <Inside name={name} chart={chart} address={address} state={state.id} />}
    </Panel>
  )
}
