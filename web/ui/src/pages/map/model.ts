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
  const depth = usualDepth(graph.nodes, graph.edges)
  const friction = worstFriction(asked.findings)
  const differences = new Map(asked.differences.map((each) => [edgeId(each), each]))
  const goals = new Set(asked.goals)
  return {
    nodes: shown.nodes.map((node) => ({
      ...node,
      leaving: node.count > 0 ? node.ends / Math.max(node.count - node.repeats, 1) : 0,
      friction: goals.has(node.name) ? null : (friction.get(node.name) ?? null),
      isGoal: goals.has(node.name),
    })),
    edges: shown.edges.map((edge) => ({
      ...edge,
      id: edgeId(edge),
      way: edge.direction ?? wayOf(edge, depth),
      difference: differences.get(edgeId(edge)) ?? null,
    })),
    columns: columnsOf(shown.nodes.map((node) => node.name), depth),
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

/** How deep in their walks people usually are at each step: the number of moves of the likeliest way there.
 *
 * A move is the shorter the larger its share of all that leaves a step, and each costs something by itself, so that of
 * two ways as likely the one with fewer moves counts. Repetitions and ways back lengthen no likeliest way: where people
 * go round in circles, a mean number of moves would say little about what comes first. The decimals order steps of one
 * depth, the likelier first.
 */
export function usualDepth(
  nodes: readonly { readonly name: string; readonly starts: number }[],
  edges: readonly { readonly source: string; readonly target: string; readonly count: number }[],
): ReadonlyMap<string, number> {
  const out = new Map(nodes.map(({ name }) => [name, [] as { readonly target: string; readonly count: number }[]]))
  for (const { source, target, count } of edges) if (source !== target) out.get(source)?.push({ target, count })
  const begun = nodes.reduce((sum, { starts }) => sum + starts, 0)
  const far = nodes.length + 1
  const open = new Map(nodes.map(({ name, starts }) => (
    [name, starts > 0 ? { cost: costOf(starts / begun), moves: 0 } : { cost: Infinity, moves: far }]
  )))
  const depth = new Map<string, number>()
  while (open.size > 0) {
    const [name, place] = [...open].reduce((least, each) => (each[1].cost < least[1].cost ? each : least))
    open.delete(name)
    depth.set(name, place.moves + 1 - 1 / (1 + place.cost))
    const moves = out.get(name) ?? []
    const total = moves.reduce((sum, { count }) => sum + count, 0)
    for (const { target, count } of moves) {
      const known = open.get(target)
      const cost = place.cost + costOf(count / total)
      if (known && cost < known.cost) open.set(target, { cost, moves: place.moves + 1 })
    }
  }
  return depth
}

/** What one move costs: as much as halving the people does, and what it loses of them. */
function costOf(share: number): number {
  return 1 - Math.log2(share)
}

/** Put steps into columns from left to right, by how deep they are: name -> column. About twice as wide as high. */
export function columnsOf(names: readonly string[], depth: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const nColumns = Math.max(Math.min(names.length, LEAST_COLUMNS), Math.round(Math.sqrt(COLUMNS_PER_STEP * names.length)))
  const inOrder = names.toSorted((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0) || (a < b ? -1 : 1))
  return new Map(inOrder.map((name, i) => [name, Math.floor((i * nColumns) / inOrder.length)]))
}

const LEAST_COLUMNS = 5
const COLUMNS_PER_STEP = 0.8

/** Which way a move goes where the server knows no ranks. */
function wayOf(edge: GraphEdge, depth: ReadonlyMap<string, number>): Direction {
  if (edge.source === edge.target) return 'repeat'
  return Math.floor(depth.get(edge.target) ?? 0) < Math.floor(depth.get(edge.source) ?? 0) ? 'back' : 'forward'
}

function worstFriction(findings: readonly FrictionFinding[]) {
  const worst = new Map<string, { readonly share: number; readonly signal: string }>()
  for (const { steps, share, signal } of findings) {
    const step = steps[0]
    if (step !== undefined && share > (worst.get(step)?.share ?? 0)) worst.set(step, { share, signal })
  }
  return worst
}
