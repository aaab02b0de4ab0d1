/** The journey map: what people really do, as a graph that lives; and the same selection as flow, funnel and tables. */

import { useCallback, useMemo, useRef } from 'react'
import { Answer } from '../../parts/Answer'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { count, share } from '../../parts/format'
import { Page } from '../../parts/Page'
import { Tabs } from '../../parts/Tabs'
import { MAP } from '../../text/map'
import { ApiError } from '../../api/errors'
import { useMapData, type MapData } from './data'
import { Flows } from './Flows'
import { FunnelView } from './FunnelView'
import { Legend } from './Legend'
import css from './Map.module.css'
import { MapFilters } from './MapFilters'
import { MapPanel } from './MapPanel'
import { MapTables } from './MapTables'
import { MapView } from './MapView'
import { modelOf, type MapModel } from './model'
import { steadyOrder, type Found } from './order'
import { keyOf, useView, writePicked, type Picked, type Tab, type View } from './selection'

/** So many steps are all shown, also the rarest, unless somebody says otherwise. */
const FEW_STEPS = 40
/** More moves than these are too many to tell apart: the rarest are left out, unless somebody wants them. */
const MANY_MOVES = 40

export default function MapPage() {
  const view = useView()
  const data = useMapData(view)
  return (
    <Page title={MAP.title} note={MAP.note} isFull filters={<MapFilters view={view} goal={data.goal} />}>
      {data.graph.error instanceof ApiError && data.graph.error.code === 'no-events' ? <NoEvents />
        : <Answer query={data.graph}>{() => <Views view={view} data={data} />}</Answer>}
    </Page>
  )
}

function Views({ view, data }: { readonly view: View; readonly data: MapData }) {
  const graph = data.graph.data
  const rare = view.rare ?? likelyRare(graph?.edges ?? [], graph?.definition.n_people ?? 0)
  const order = useOrder(view, data)
  const model = useMemo<MapModel>(() => (
    graph
      ? modelOf(graph, { order, goals: data.goal ? [data.goal] : [], rare, findings: data.findings, differences: data.difference?.edges ?? [], keepsSteps: view.rare === null && graph.nodes.length <= FEW_STEPS })
      : { nodes: [], edges: [], columns: new Map(), nHiddenNodes: 0, nHiddenEdges: 0 }
  ), [graph, data, order, rare, view.rare])
  const { address } = view
  const pick = useCallback((picked: Picked | null) => address.set({ at: writePicked(picked) }), [address])
  const tabs = (Object.keys(MAP.tabs) as Tab[]).map((key) => ({ key, label: MAP.tabs[key] }))
  if (graph?.nodes.length === 0) return <Empty icon="map" title={MAP.nothing.title}>{MAP.nothing.text}</Empty>
  return (
    <div className={css.place}>
      <div className={css.views}>
        {data.differenceError !== null && data.differenceError !== undefined && <Failure error={data.differenceError} />}
        <Tabs
          label={MAP.tabsLabel} tabs={tabs} current={view.tab} className={css.tabs ?? ''}
          onChange={(tab) => address.set({ view: tab === 'map' ? null : tab })} actions={<Rare view={view} rare={rare} model={model} />}
        >
          <Shown view={view} data={data} model={model} pick={pick} />
        </Tabs>
      </div>
      {view.picked && <MapPanel view={view} model={model} picked={view.picked} hasGoal={data.goal !== ''} onPick={pick} />}
    </div>
  )
}

/** The order of steps, which stays while people move. */
function useOrder(view: View, { graph }: MapData): readonly string[] {
  const found = useRef<Found | null>(null)
  // While the next answer is on its way, what is shown is the one before: it answers what was asked before.
  if (graph.data && !(graph.isPlaceholderData && found.current)) {
    const asked = JSON.stringify([view.by, ...keyOf(view), view.collapse])
    found.current = steadyOrder(found.current, asked, graph.data)
  }
  return found.current?.order ?? NO_STEPS
}

const NO_STEPS: readonly string[] = []

function Shown({ view, data, model, pick }: {
  readonly view: View
  readonly data: MapData
  readonly model: MapModel
  readonly pick: (picked: Picked | null) => void
}) {
  const isDifference = data.difference !== undefined
  switch (view.tab) {
    case 'map':
      return (
        <>
          <MapView model={model} picked={view.picked} isDifference={isDifference} onPick={pick} />
          <Legend model={model} compare={isDifference ? view.compare : ''} />
        </>
      )
    case 'sankey':
      return <Flows view={view} />
    case 'funnel':
      return <FunnelView view={view} model={model} />
    case 'table':
      return <MapTables model={model} isDifference={isDifference} onPick={pick} />
    default:
      return view.tab satisfies never
  }
}

/** The slider from every move to the commonest ones. */
function Rare({ view, rare, model }: { readonly view: View; readonly rare: number; readonly model: MapModel }) {
  return (
    <label className={css.rare} title={MAP.rareHint}>
      {MAP.rare}
      <input
        type="range" min={0} max={RARES.length - 1} step={1} value={nearestRare(rare)}
        aria-valuetext={rare === 0 ? MAP.rareOff : `${share(rare)}, ${MAP.hidden(model.nHiddenNodes, model.nHiddenEdges)}`}
        onChange={(event) => view.address.set({ rare: String(RARES[Number(event.target.value)] ?? 0) })}
      />
      <output title={MAP.hidden(model.nHiddenNodes, model.nHiddenEdges)}>
        {rare === 0 ? MAP.rareOff : `≥ ${share(rare)}`} · {count(model.edges.length)}
      </output>
    </label>
  )
}

const RARES: readonly number[] = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3]

function nearestRare(rare: number): number {
  return RARES.reduce((best, each, i) => (Math.abs(each - rare) < Math.abs((RARES[best] ?? 0) - rare) ? i : best), 0)
}

/** The least share that leaves no more moves than one can tell apart. */
function likelyRare(edges: readonly { readonly people: number }[], nPeople: number): number {
  return RARES.find((rare) => edges.filter((edge) => edge.people >= rare * nPeople).length <= MANY_MOVES) ?? 0.3
}

function NoEvents() {
  return (
    <Empty icon="map" title={MAP.empty.title}>
      {MAP.empty.text}
      <pre>{MAP.empty.command(location.origin)}</pre>
      {MAP.empty.where}
    </Empty>
  )
}
