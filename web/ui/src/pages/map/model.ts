/** The map's model: what is shown of a graph, in which order its steps usually come, and what stands out. */

import type { DifferenceEdge, Direction, FrictionFinding, GraphAnswer, GraphEdge, GraphNode } from '../../api/questions'

export interface MapNode extends GraphNode {
  /** Of the walks that visit it, those that end in it. */
  readonly leaving: number
  /** The share of those who struggle with it most, and how; null: nobody does, or nobody asked. */
  readonly friction: { readonly share: number; readonly signal: string } | null
  readonly isGoal: boolean
}

export interface MapEdge extends GraphEdge {
  readonly id: string
  readonly way: Direction
  readonly difference: DifferenceEdge | null
}

export interface MapModel {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
  /** Step -> its column, from the left. */
  readonly columns: ReadonlyMap<string, number>
  /** How many of each are not shown. */
  readonly nHiddenNodes: number
  readonly nHiddenEdges: number
}

interface Asked {
  readonly goals: readonly string[]
  /** The names of all steps, as they usually come. */
  readonly order: readonly string[]
  /** Moves of less than this share of all people are rare. */
  readonly rare: number
  /** Rare moves go, and no step does. */
  readonly keepsSteps?: boolean
  readonly findings: readonly FrictionFinding[]
  readonly differences: readonly DifferenceEdge[]
}

/** Put together what the map shows. */
export function modelOf(graph: GraphAnswer, asked: Asked): MapModel {
  const always = asked.keepsSteps ? graph.nodes.map((node) => node.name) : asked.goals
  const shown = withoutRare(graph, asked.rare, always)
  const names = new Set(shown.nodes.map((node) => node.name))
  const places = new Map(asked.order.map((name, i) => [name, i]))
  const friction = worstFriction(asked.findings)
  const differences = new Map(asked.differences.map((each) => [edgeId(each), each]))
  const goals = new Set(asked.goals)
  return {
    nodes: shown.nodes.map((node) => ({
      ...node,
      leaving: node.count > 0 ? node.ends / Math.max(node.count - node.repeats - node.returns, 1) : 0,
      friction: goals.has(node.name) ? null : (friction.get(node.name) ?? null),
      isGoal: goals.has(node.name),
    })),
    edges: shown.edges.map((edge) => ({
      ...edge,
      id: edgeId(edge),
      way: edge.direction ?? wayOf(edge, places),
      difference: differences.get(edgeId(edge)) ?? null,
    })),
    columns: columnsOf(asked.order.filter((name) => names.has(name))),
    nHiddenNodes: graph.nodes.length - shown.nodes.length,
    nHiddenEdges: graph.edges.length - shown.edges.length,
  }
}

export function edgeId(edge: { readonly source: string; readonly target: string }): string {
  return `${edge.source}\u2192${edge.target}`
}

/** Leave out moves of few people, and steps that only such moves reach.
 *
 * Of each step that is shown, the strongest way in and the strongest way out stay, so that nothing hangs loose.
 */
export function withoutRare(
  graph: Pick<GraphAnswer, 'nodes' | 'edges' | 'definition'>, rare: number, always: readonly string[] = [],
): { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] } {
  const least = rare * graph.definition.n_people
  const isKept = new Set(always)
  const nodes = graph.nodes.filter((node) => node.people >= least || isKept.has(node.name))
  const names = new Set(nodes.map((node) => node.name))
  const between = graph.edges.filter((edge) => names.has(edge.source) && names.has(edge.target))
  const strongest = new Set<GraphEdge>()
  for (const end of ['source', 'target'] as const) {
    const best = new Map<string, GraphEdge>()
    for (const edge of between) {
      if (edge.source === edge.target) continue
      const known = best.get(edge[end])
      if (!known || edge.people > known.people) best.set(edge[end], edge)
    }
    for (const edge of best.values()) strongest.add(edge)
  }
  return { nodes, edges: between.filter((edge) => edge.people >= least || strongest.has(edge)) }
}

/** Put steps that stand in their order into columns from left to right: name -> column. About twice as wide as high. */
export function columnsOf(inOrder: readonly string[]): ReadonlyMap<string, number> {
  const nColumns = Math.max(Math.min(inOrder.length, LEAST_COLUMNS), Math.round(Math.sqrt(COLUMNS_PER_STEP * inOrder.length)))
  return new Map(inOrder.map((name, i) => [name, Math.floor((i * nColumns) / inOrder.length)]))
}

const LEAST_COLUMNS = 5
const COLUMNS_PER_STEP = 0.8

/** Which way a move goes where the server knows no ranks. */
function wayOf(edge: GraphEdge, places: ReadonlyMap<string, number>): Direction {
  if (edge.source === edge.target) return 'repeat'
  return (places.get(edge.target) ?? 0) < (places.get(edge.source) ?? 0) ? 'back' : 'forward'
}

function worstFriction(findings: readonly FrictionFinding[]) {
  const worst = new Map<string, { readonly share: number; readonly signal: string }>()
  for (const { steps, share, signal } of findings) {
    const step = steps[0]
    if (step !== undefined && share > (worst.get(step)?.share ?? 0)) worst.set(step, { share, signal })
  }
  return worst
}
