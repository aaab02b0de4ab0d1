/** In which order steps usually come, from left to right: the one in which the fewest moves lead back. */

import { levelsOf, type Move, type Step } from './levels'

/** Beyond so long a silence somebody is on another visit. */
const VISIT_MS = 30 * 60_000
/** Each round looks at every step once; few are needed, and circles that nobody can put right do not go on for ever. */
const ROUNDS = 20

export interface Timed extends Move {
  readonly dwell_p50_ms: number | null
}

/** Put the names of steps in order.
 *
 * They begin by their levels, and then each goes where it makes the fewest moves lead back, until none does better
 * elsewhere. A move that mostly takes longer than a visit says nothing of what comes after what: somebody came back
 * later, and began anew at its target.
 */
export function orderOf(steps: readonly Step[], moves: readonly Timed[]): readonly string[] {
  const isWithin = (move: Timed) => move.dwell_p50_ms === null || move.dwell_p50_ms < VISIT_MS
  const within = moves.filter(isWithin)
  const begun = new Map(steps.map(({ name, starts }) => [name, starts]))
  for (const { target, count } of moves.filter((move) => !isWithin(move))) begun.set(target, (begun.get(target) ?? 0) + count)
  const levels = levelsOf(steps.map(({ name }) => ({ name, starts: begun.get(name) ?? 0 })), within)
  const names = steps.map(({ name }) => name).sort((a, b) => compare(levels.get(a), levels.get(b)) || (a < b ? -1 : 1))
  return settled(names, within)
}

/** An order, and what it was found from. */
export interface Found {
  readonly order: readonly string[]
  /** What was asked, and which steps there were. */
  readonly of: string
  readonly nEvents: number
}

/** The order of a graph, as it was found before where that still is about the same: a live map does not jump about.
 *
 * It is looked for again when something else is asked, another step comes, or there are twice as many events.
 */
export function steadyOrder(
  before: Found | null, asked: string, graph: { readonly nodes: readonly Step[]; readonly edges: readonly Timed[]; readonly definition: { readonly n_events: number } },
): Found {
  const of = JSON.stringify([asked, graph.nodes.map(({ name }) => name).sort()])
  const nEvents = graph.definition.n_events
  if (before?.of === of && nEvents < 2 * before.nEvents) return before
  return { order: orderOf(graph.nodes, graph.edges), of, nEvents }
}

/** Levels in their order; of two that are infinite neither comes first. */
function compare(one = Infinity, other = Infinity): number {
  return one === other ? 0 : one - other
}

/** Take each step to where the fewest moves lead back, round after round, until all stay. */
function settled(names: readonly string[], moves: readonly Move[]): readonly string[] {
  const gains = gainsOf(names, moves)
  const order = names.map((_, i) => i)
  for (let round = 0, isMoving = true; isMoving && round < ROUNDS; round += 1) {
    isMoving = false
    for (const step of [...order]) {
      const from = order.indexOf(step)
      const to = bestPlace(order, from, gains)
      if (to === from) continue
      order.splice(to, 0, ...order.splice(from, 1))
      isMoving = true
    }
  }
  return order.map((i) => names[i] ?? '')
}

/** Of each two steps, how many more go from the one to the other than back: rows one after another. */
function gainsOf(names: readonly string[], moves: readonly Move[]): Float64Array {
  const at = new Map(names.map((name, i) => [name, i]))
  const gains = new Float64Array(names.length ** 2)
  for (const { source, target, count } of moves) {
    const [from, to] = [at.get(source), at.get(target)]
    if (from === undefined || to === undefined || from === to) continue
    gains[from * names.length + to] = (gains[from * names.length + to] ?? 0) + count
    gains[to * names.length + from] = (gains[to * names.length + from] ?? 0) - count
  }
  return gains
}

/** Where a step of an order stands best: where it is, unless fewer moves lead back elsewhere. */
function bestPlace(order: readonly number[], from: number, gains: Float64Array): number {
  const step = order[from] ?? 0
  let [best, least] = [from, 0]
  for (const sign of [-1, 1]) {
    let more = 0
    for (let at = from + sign; at >= 0 && at < order.length; at += sign) {
      more += sign * (gains[step * order.length + (order[at] ?? 0)] ?? 0)
      if (more < least) [best, least] = [at, more]
    }
  }
  return best
}
