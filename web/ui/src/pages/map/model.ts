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
  /** How many of each are not shown. */
  readonly nHiddenNodes: number
  readonly nHiddenEdges: number
}

interface Asked {
  readonly goals: readonly string[]
  /** Moves of less than this share of all people are rare. */
  readonly rare: number
  readonly findings: readonly FrictionFinding[]
  readonly differences: readonly DifferenceEdge[]
}

/** Put together what the map shows. */
export function modelOf(graph: GraphAnswer, asked: Asked): MapModel {
  const shown = withoutRare(graph, asked.rare, asked.goals)
  const ranks = usualOrder(graph.nodes, graph.edges)
  const friction = worstFriction(asked.findings)
  const differences = new Map(asked.differences.map((each) => [edgeId(each), each]))
  const goals = new Set(asked.goals)
  return {
    nodes: shown.nodes.map((node) => ({
      ...node,
      leaving: node.count > 0 ? node.ends / Math.max(node.count - node.repeats, 1) : 0,
      friction: friction.get(node.name) ?? null,
      isGoal: goals.has(node.name),
    })),
    edges: shown.edges.map((edge) => ({
      ...edge,
      id: edgeId(edge),
      way: edge.direction ?? wayOf(edge, ranks),
      difference: differences.get(edgeId(edge)) ?? null,
    })),
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

/** In which order steps usually come: step -> place, so that as few moves as possible go back.
 *
 * Greedy, by Eades, Lin and Smyth (1993): whoever is only left goes first, whoever is only reached goes last, and
 * else the one with the most more out than in. Linear in moves for each step taken; ties by name.
 */
export function usualOrder(
  nodes: readonly { readonly name: string; readonly starts: number; readonly ends: number }[],
  edges: readonly { readonly source: string; readonly target: string; readonly count: number }[],
): ReadonlyMap<string, number> {
  const left = new Map(nodes.map((node) => [node.name, { out: node.ends / 1e6, in: node.starts / 1e6 }]))
  const ways = new Map<string, { readonly other: string; readonly count: number; readonly isOut: boolean }[]>()
  for (const { source, target, count } of edges) {
    if (source === target || !left.has(source) || !left.has(target)) continue
    push(ways, source, { other: target, count, isOut: true })
    push(ways, target, { other: source, count, isOut: false })
    at(left, source).out += count
    at(left, target).in += count
  }
  const first: string[] = []
  const last: string[] = []
  const take = (name: string, to: string[]) => {
    to.push(name)
    left.delete(name)
    for (const way of ways.get(name) ?? []) {
      const other = left.get(way.other)
      if (other) other[way.isOut ? 'in' : 'out'] -= way.count
    }
  }
  while (left.size > 0) {
    let best = ''
    let most = -Infinity
    for (const [name, flow] of left) {
      const more = flow.in < 0.5 ? Infinity : flow.out < 0.5 ? -Infinity : flow.out - flow.in
      if (best === '' || more > most || (more === most && name < best)) [best, most] = [name, more]
    }
    // Of those that are left, the one that only ends goes last; all others go first, the most leaving first.
    const sink = most === Infinity ? undefined : [...left].find(([, flow]) => flow.out < 0.5)?.[0]
    if (sink !== undefined) take(sink, last)
    else take(best, first)
  }
  return new Map([...first, ...last.reverse()].map((name, i) => [name, i]))
}

/** Which way a move goes where the server knows no ranks. */
function wayOf(edge: GraphEdge, order: ReadonlyMap<string, number>): Direction {
  if (edge.source === edge.target) return 'repeat'
  return (order.get(edge.target) ?? 0) < (order.get(edge.source) ?? 0) ? 'back' : 'forward'
}

function worstFriction(findings: readonly FrictionFinding[]) {
  const worst = new Map<string, { readonly share: number; readonly signal: string }>()
  for (const { steps, share, signal } of findings) {
    const step = steps[0]
    if (step !== undefined && share > (worst.get(step)?.share ?? 0)) worst.set(step, { share, signal })
  }
  return worst
}

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const known = map.get(key)
  if (known) known.push(value)
  else map.set(key, [value])
}

function at<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Value {
  return map.get(key) as Value
}
