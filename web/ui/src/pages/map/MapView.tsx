/** The map itself: steps placed by ELK, moves on a canvas below them, and what is chosen stands out. */

import { useCallback, useMemo } from 'react'
import { Graph } from '../../parts/graph/Graph'
import type { Box, LayoutTask } from '../../parts/graph/layout'
import { useLayout } from '../../parts/graph/useLayout'
import { Spinner } from '../../parts/Waiting'
import { MAP } from '../../text/map'
import { curvesOf, extentOf, nearest } from './geometry'
import { EdgeLayer } from './EdgeLayer'
import type { MapModel } from './model'
import { edgeId } from './model'
import type { Picked } from './selection'
import { NODE_HEIGHT, NODE_WIDTH, StepNode, type StepNodeType } from './StepNode'

interface Props {
  readonly model: MapModel
  readonly picked: Picked | null
  readonly isDifference: boolean
  readonly onPick: (picked: Picked | null) => void
}

const NODE_TYPES = { step: StepNode }
const NO_EDGES: never[] = []
/** For the controls and the legend. */
const ROOM = { top: 20, right: 28, bottom: 60, left: 56 }
/** How far from a move a click still means it, px of the map. */
const REACH_PX = 9
/** So many of the strongest moves out of and into a step say where it stands; the others do not, and are drawn. */
const N_PLACING = 2

export function MapView({ model, picked, isDifference, onPick }: Props) {
  const task = useMemo(() => taskOf(model), [model])
  const layout = useLayout(task)
  const boxes = layout?.nodes
  const curves = useMemo(() => (boxes ? curvesOf(model.edges, boxes) : new Map()), [model.edges, boxes])
  const extent = useMemo(() => (boxes ? extentOf(boxes, curves) : null), [boxes, curves])
  const lit = useMemo(() => litOf(model, picked), [model, picked])
  const pickStep = useCallback((step: string) => onPick({ kind: 'step', step }), [onPick])
  const nodes = useMemo(
    () => (boxes ? nodesOf(model, boxes, { picked, lit: lit.steps, pickStep }) : []), [model, boxes, picked, lit, pickStep],
  )
  if (!layout) return <Spinner />
  const pickAt = (at: { readonly x: number; readonly y: number }) => {
    const id = nearest(at, curves, REACH_PX)
    const edge = model.edges.find((each) => each.id === id)
    onPick(edge ? { kind: 'move', source: edge.source, target: edge.target } : null)
  }
  return (
    <Graph
      label={MAP.title} nodes={nodes} edges={NO_EDGES} nodeTypes={NODE_TYPES} onPickNothing={pickAt}
      fitKey={model.nodes.length > 0 ? [...layout.nodes.keys()].join() : ''} hasMiniMap={model.nodes.length > 40} extent={extent} room={ROOM}
    >
      <EdgeLayer edges={model.edges} curves={curves} lit={lit.edges} isDifference={isDifference} />
    </Graph>
  )
}

/** What is laid out: all steps in their columns, put above one another by the strongest moves between columns. */
function taskOf(model: MapModel): LayoutTask {
  const column = (name: string) => model.columns.get(name) ?? 0
  const placing = new Map<string, { readonly id: string; readonly source: string; readonly target: string }>()
  const strong = model.edges.filter((edge) => column(edge.source) < column(edge.target)).toSorted((a, b) => b.people - a.people)
  for (const end of ['source', 'target'] as const) {
    const n = new Map<string, number>()
    for (const edge of strong) {
      const known = n.get(edge[end]) ?? 0
      if (known >= N_PLACING) continue
      n.set(edge[end], known + 1)
      placing.set(edge.id, { id: edge.id, source: edge.source, target: edge.target })
    }
  }
  // In an order of their own, so that numbers that change do not make it another task.
  const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1)
  return {
    nodes: model.nodes.map((node) => ({ id: node.name, width: NODE_WIDTH, height: NODE_HEIGHT, column: column(node.name) })).sort(byId),
    edges: [...placing.values()].sort(byId),
    direction: 'RIGHT',
    style: 'flow',
  }
}

function litOf(model: MapModel, picked: Picked | null) {
  const edges = new Set<string>()
  const steps = new Set<string>()
  for (const edge of picked ? model.edges : []) {
    const isIn = picked?.kind === 'step'
      ? edge.source === picked.step || edge.target === picked.step
      : edge.id === (picked && edgeId(picked))
    if (!isIn) continue
    edges.add(edge.id)
    steps.add(edge.source).add(edge.target)
  }
  if (picked?.kind === 'step') steps.add(picked.step)
  return { edges, steps }
}

function nodesOf(
  model: MapModel, boxes: ReadonlyMap<string, Box>,
  { picked, lit, pickStep }: { readonly picked: Picked | null; readonly lit: ReadonlySet<string>; readonly pickStep: (step: string) => void },
): StepNodeType[] {
  return model.nodes.flatMap((step) => {
    const box = boxes.get(step.name)
    if (!box) return []
    return [{
      id: step.name, type: 'step' as const, position: { x: box.x, y: box.y }, width: NODE_WIDTH, height: NODE_HEIGHT,
      data: {
        step, onPick: pickStep, isDim: lit.size > 0 && !lit.has(step.name),
        isPicked: picked?.kind === 'step' && picked.step === step.name,
      },
    }]
  })
}
