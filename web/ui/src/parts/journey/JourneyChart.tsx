/** A journey as it is drawn everywhere: its states inside one another, its ways, and numbers on both. */

import { BaseEdge, EdgeLabelRenderer, Handle, Position, type Edge, type EdgeProps, type Node, type NodeProps } from '@xyflow/react'
import { memo, useCallback, useMemo, type ReactNode } from 'react'
import type { ChartState, ChartView, ChartWay } from '../../api/schema'
import { JOURNEY } from '../../text/journey'
import { cx } from '../cx'
import { Graph } from '../graph/Graph'
import type { Layout, Point } from '../graph/layout'
import { useLayout } from '../graph/useLayout'
import { Icon, type IconName } from '../Icon'
import { Spinner } from '../Waiting'
import { ENTRY_NODE, labelOf, linesOf, roundedPath, taskOf } from './drawing'
import css from './JourneyChart.module.css'

export interface Numbers {
  /** State -> what stands at its right: how many are in it. */
  readonly states: Readonly<Record<string, { readonly text: string; readonly title: string; readonly isLit?: boolean } | undefined>>
  /** Way -> how many took it. */
  readonly ways: Readonly<Record<string, string | undefined>>
}

interface Props {
  readonly chart: ChartView
  readonly numbers?: Numbers
  readonly direction?: 'DOWN' | 'RIGHT'
  /** The id of a state or way. */
  readonly picked?: string
  readonly onPick?: (id: string) => void
  /** States with a problem, and what it is. */
  readonly problems?: ReadonlyMap<string, string>
  readonly children?: ReactNode
}

const NO_NUMBERS: Numbers = { states: {}, ways: {} }
const NODE_TYPES = { state: memo(StateNode), entry: memo(EntryNode) }
const EDGE_TYPES = { way: memo(WayEdge) }

export function JourneyChart({ chart, numbers = NO_NUMBERS, direction = 'DOWN', picked = '', onPick, problems, children }: Props) {
  const task = useMemo(() => taskOf(chart, direction), [chart, direction])
  const layout = useLayout(task)
  const pick = useCallback((id: string) => onPick?.(id), [onPick])
  const nodes = useMemo(
    () => (layout ? nodesOf(chart, layout, { numbers, picked, pick, problems }) : []), [chart, layout, numbers, picked, pick, problems],
  )
  const edges = useMemo(
    () => (layout ? edgesOf(chart, layout, { numbers, picked, pick }) : []), [chart, layout, numbers, picked, pick],
  )
  if (!layout) return <Spinner />
  return (
    <Graph label={JOURNEY.chart(chart.journey)} nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} edgeTypes={EDGE_TYPES} fitKey={`${direction} ${[...layout.nodes.keys()].join()}`}>
      {children}
    </Graph>
  )
}

type StateData = {
  readonly state: ChartState
  readonly isFrame: boolean
  readonly number: Numbers['states'][string]
  readonly isPicked: boolean
  readonly problem: string
  readonly pick: (id: string) => void
}
type StateType = Node<StateData, 'state'>
type EntryType = Node<{ readonly way: ChartWay; readonly number: string; readonly isPicked: boolean; readonly pick: (id: string) => void }, 'entry'>
type WayType = Edge<{
  readonly way: ChartWay
  readonly points: readonly Point[]
  readonly label: Point | null
  readonly number: string
  readonly isPicked: boolean
  readonly pick: (id: string) => void
}, 'way'>

const ICONS: Readonly<Record<ChartState['step'], IconName>> = {
  send: 'send', wait: 'clock', wait_for: 'clock', branch: 'branch', split: 'experiments', exit: 'out', '': 'more',
}

function StateNode({ data: { state, isFrame, number, isPicked, problem, pick } }: NodeProps<StateType>) {
  const kind = state.kind === 'atomic' ? JOURNEY.steps[state.step] : JOURNEY.kinds[state.kind]
  return (
    <button
      type="button" title={problem || kind} aria-pressed={isPicked} onClick={(event) => { event.stopPropagation(); pick(state.id) }}
      className={cx(css.state, isFrame && css.frame, state.kind === 'final' && css.final, Boolean(problem) && css.wrong, number?.isLit && css.lit)}
      data-step={state.step} data-state={state.id}
    >
      <Handle type="target" position={Position.Top} isConnectable={false} className={css.handle} />
      <span className={css.head}>
        <span className={css.icon}><Icon name={state.kind === 'final' ? 'check' : state.kind === 'history' ? 'undo' : ICONS[state.step]} size={13} /></span>
        <span className={css.label}>{state.label}</span>
        {number && <span className={css.number} title={number.title}>{number.text}</span>}
      </span>
      {!isFrame && linesOf(state).map((line) => <span key={line} className={css.does} title={line}>{line}</span>)}
      <Handle type="source" position={Position.Bottom} isConnectable={false} className={css.handle} />
    </button>
  )
}

function EntryNode({ data: { way, number, isPicked, pick } }: NodeProps<EntryType>) {
  return (
    <button type="button" className={css.entry} title={way.label} aria-pressed={isPicked} onClick={(event) => { event.stopPropagation(); pick(way.id) }}>
      <small>{JOURNEY.enters}{number && ` · ${number}`}</small>
      <span>{way.label}</span>
      <Handle type="source" position={Position.Bottom} isConnectable={false} className={css.handle} />
    </button>
  )
}

function WayEdge({ id, data }: EdgeProps<WayType>) {
  if (!data) return null
  const { way, points, label, number, isPicked, pick } = data
  const end = points.at(-1)
  return (
    <>
      <BaseEdge id={id} path={roundedPath(points)} className={cx(css.way, isPicked && css.wayPicked)} interactionWidth={14} />
      {end && <path d={arrow(points)} className={cx(css.arrow, isPicked && css.arrowPicked)} />}
      {label && way.trigger !== 'entry' && (way.label || number) && (
        <EdgeLabelRenderer>
          <button
            type="button" className={cx(css.wayLabel, 'nopan')} title={labelOf(way, number)} aria-pressed={isPicked} data-trigger={way.trigger}
            style={{ transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)` }} onClick={(event) => { event.stopPropagation(); pick(id) }}
          >
            <span>{way.label}</span>{number && <b>{number}</b>}
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  )
}

function arrow(points: readonly Point[]): string {
  const [before, end] = [points.at(-2), points.at(-1)]
  if (!before || !end) return ''
  const angle = Math.atan2(end.y - before.y, end.x - before.x)
  const [one, two] = [2.6, -2.6].map((turn) => `${end.x + 8 * Math.cos(angle + turn)},${end.y + 8 * Math.sin(angle + turn)}`)
  return `M${end.x},${end.y}L${one}L${two}Z`
}

function nodesOf(
  chart: ChartView, layout: Layout,
  shown: { readonly numbers: Numbers; readonly picked: string; readonly pick: (id: string) => void; readonly problems: ReadonlyMap<string, string> | undefined },
): (StateType | EntryType)[] {
  const frames = new Set(chart.states.flatMap((state) => (state.parent === null ? [] : [state.parent])))
  const entry = chart.ways.find((way) => way.trigger === 'entry')
  const place = (id: string) => {
    const box = layout.nodes.get(id)
    return box && { position: { x: box.x, y: box.y }, width: box.width, height: box.height }
  }
  const entryPlace = place(ENTRY_NODE)
  const states = chart.states.flatMap((state): StateType[] => {
    const placed = place(state.id)
    if (!placed) return []
    return [{
      id: state.id, type: 'state', ...placed, ...(state.parent === null ? {} : { parentId: state.parent }),
      data: {
        state, isFrame: frames.has(state.id), number: shown.numbers.states[state.id], isPicked: shown.picked === state.id,
        problem: shown.problems?.get(state.id) ?? '', pick: shown.pick,
      },
    }]
  })
  if (!entry || !entryPlace) return states
  return [{
    id: ENTRY_NODE, type: 'entry', ...entryPlace,
    data: { way: entry, number: shown.numbers.ways[entry.id] ?? '', isPicked: shown.picked === entry.id, pick: shown.pick },
  }, ...states]
}

function edgesOf(
  chart: ChartView, layout: Layout, shown: { readonly numbers: Numbers; readonly picked: string; readonly pick: (id: string) => void },
): WayType[] {
  return chart.ways.flatMap((way): WayType[] => {
    const found = layout.edges.get(way.id)
    if (!found || found.points.length === 0 || way.target === '') return []
    return [{
      id: way.id, type: 'way', source: way.trigger === 'entry' ? ENTRY_NODE : way.source, target: way.target, zIndex: 2,
      data: { way, ...found, number: shown.numbers.ways[way.id] ?? '', isPicked: shown.picked === way.id, pick: shown.pick },
    }]
  })
}
