/** Levels of steps: people mostly move from lower ones to higher ones. */

export interface Step {
  readonly name: string
  readonly starts: number
}

export interface Move {
  readonly source: string
  readonly target: string
  readonly count: number
}

/** Give each step its level: how far from the beginning it usually stands.
 *
 * These are trophic levels (MacKay, Johnson and Sansom, 2020) of what flows: every move wants its target one level above
 * its source, every walk wants its first step one level above the beginning, which stands at 0, and the levels are those
 * for which the sum of squares of what is missing, each weighted by how often it happens, is least. So no way of getting
 * to a step decides alone, and a walk that begins deep inside a product weighs no more than it counts. Moves to and fro
 * between two steps cancel: of them only who goes one way more often than the other says anything, and the rest holds
 * the two loosely together, as it does a page that all come back from. What nothing ties to a beginning has no level,
 * and comes last: Infinity.
 */
export function levelsOf(steps: readonly Step[], moves: readonly Move[]): ReadonlyMap<string, number> {
  const tied = tiedTo(steps, moves)
  const names = steps.map(({ name }) => name).filter((name) => tied.has(name))
  const at = new Map(names.map((name, i) => [name, i]))
  const weights = new Float64Array(names.length)
  const pulls = new Float64Array(names.length)
  for (const { name, starts } of steps) {
    const i = at.get(name)
    if (i === undefined) continue
    weights[i] = starts
    pulls[i] = starts
  }
  const springs = springsOf(moves, at)
  for (const { from, to, net, stiffness } of springs) {
    for (const [i, sign] of [[from, -1], [to, 1]] as const) {
      weights[i] = (weights[i] ?? 0) + stiffness
      pulls[i] = (pulls[i] ?? 0) + sign * net
    }
  }
  const found = solve(weights, springs, pulls)
  return new Map(steps.map(({ name }) => [name, found[at.get(name) ?? -1] ?? Infinity]))
}

interface Spring {
  readonly from: number
  readonly to: number
  /** How many more go from the one to the other than back. */
  readonly net: number
  readonly stiffness: number
}

/** Of a move to and fro, what each way counts for in holding two steps together. */
const LOOSE = 0.001

/** One for each two steps between which anybody moves, and how many more go one way than the other. */
function springsOf(moves: readonly Move[], at: ReadonlyMap<string, number>): readonly Spring[] {
  const pairs = new Map<string, { readonly from: number; readonly to: number; there: number; back: number }>()
  for (const { source, target, count } of moves) {
    const [one, other] = [at.get(source), at.get(target)]
    if (one === undefined || other === undefined || one === other || count <= 0) continue
    const [from, to] = one < other ? [one, other] : [other, one]
    const key = `${from} ${to}`
    const pair = pairs.get(key) ?? { from, to, there: 0, back: 0 }
    pair[one === from ? 'there' : 'back'] += count
    pairs.set(key, pair)
  }
  return [...pairs.values()].map(({ from, to, there, back }) => (
    { from, to, net: there - back, stiffness: Math.abs(there - back) + LOOSE * 2 * Math.min(there, back) }
  ))
}

/** The names of all steps that moves, in either direction, tie to one that a walk began with. */
function tiedTo(steps: readonly Step[], moves: readonly Move[]): ReadonlySet<string> {
  const beside = new Map<string, string[]>(steps.map(({ name }) => [name, []]))
  for (const { source, target } of moves) {
    beside.get(source)?.push(target)
    beside.get(target)?.push(source)
  }
  const open = steps.filter(({ starts }) => starts > 0).map(({ name }) => name)
  const tied = new Set(open)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const other of beside.get(name) ?? []) {
      if (tied.has(other) || !beside.has(other)) continue
      tied.add(other)
      open.push(other)
    }
  }
  return tied
}

const EXACT = 1e-10

/** Solve the least squares by conjugate gradients: two hundred steps and two thousand moves cost a millisecond or two. */
function solve(weights: Float64Array, springs: readonly Spring[], pulls: Float64Array): Float64Array {
  const apply = (x: Float64Array) => {
    const out = x.map((each, i) => each * (weights[i] ?? 0))
    for (const { from, to, stiffness } of springs) {
      out[from] = (out[from] ?? 0) - stiffness * (x[to] ?? 0)
      out[to] = (out[to] ?? 0) - stiffness * (x[from] ?? 0)
    }
    return out
  }
  const scaled = (x: Float64Array) => x.map((each, i) => each / (weights[i] || 1))
  let found = new Float64Array(weights.length)
  let missing = pulls.slice()
  let way = scaled(missing)
  let size = dot(missing, way)
  const enough = size * EXACT ** 2
  for (let i = 0; i < 4 * weights.length && size > enough; i += 1) {
    const moved = apply(way)
    const far = size / dot(way, moved)
    found = along(found, way, far)
    missing = along(missing, moved, -far)
    const next = scaled(missing)
    const nextSize = dot(missing, next)
    way = along(next, way, nextSize / size)
    size = nextSize
  }
  return found
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, each, i) => sum + each * (b[i] ?? 0), 0)
}

function along(from: Float64Array, way: Float64Array, far: number): Float64Array<ArrayBuffer> {
  return from.map((each, i) => each + far * (way[i] ?? 0)) as Float64Array<ArrayBuffer>
}
