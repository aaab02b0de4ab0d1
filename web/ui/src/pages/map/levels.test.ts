import { expect, test } from 'vitest'
import { levelsOf } from './levels'

test('of a chain a level is the place in it, however few get so far', () => {
  const levels = levelsOf(stepsOf(['a', 'b', 'c', 'd'], { a: 10 }), movesOf({ a: { b: 9 }, b: { c: 4 }, c: { d: 1 } }))
  expect([...levels.values()].map((level) => Number(level.toFixed(6)))).toEqual([1, 2, 3, 4])
})

test('a page that all come back from stands beside the one they come from', () => {
  const levels = levelsOf(stepsOf(['a', 'b', 'help', 'c'], { a: 9 }), movesOf({ a: { b: 9 }, b: { help: 5, c: 4 }, help: { b: 5 } }))
  expect([levels.get('help'), levels.get('b')].map((level) => Number(level?.toFixed(6)))).toEqual([2, 2])
})

test('levels leave the least sum of squares, as a slow search by hand finds it', () => {
  // Nobody goes to and fro here: every move wants its target one level above its source.
  const [names, starts] = [['a', 'b', 'c', 'd'], { a: 7, c: 1 } as Readonly<Record<string, number>>]
  const moves = movesOf({ a: { b: 5, c: 2 }, b: { c: 4 }, c: { d: 3 }, d: { b: 1 } })
  const missing = (levels: ReadonlyMap<string, number>) => {
    const level = (name: string) => levels.get(name) ?? 0
    const ofMoves = moves.map(({ source, target, count }) => count * (level(target) - level(source) - 1) ** 2)
    const ofStarts = names.map((name) => (starts[name] ?? 0) * (level(name) - 1) ** 2)
    return [...ofMoves, ...ofStarts].reduce((sum, each) => sum + each, 0)
  }
  const found = levelsOf(stepsOf(names, starts), moves)
  for (const name of names) {
    for (const by of [-0.01, 0.01]) {
      expect(missing(new Map([...found, [name, (found.get(name) ?? 0) + by]]))).toBeGreaterThan(missing(found))
    }
  }
})

test('what nothing ties to a beginning comes last, and no step at all is no error', () => {
  const levels = levelsOf(stepsOf(['in', 'x', 'y'], { in: 1 }), movesOf({ x: { y: 1 }, y: { x: 1, gone: 2 } }))
  expect([...levels]).toEqual([['in', 1], ['x', Infinity], ['y', Infinity]])
  expect(levelsOf([], []).size).toBe(0)
})

test('two hundred steps in a long row come out in their order', () => {
  const names = Array.from({ length: 200 }, (_, i) => `s${i}`)
  const moves = names.slice(1).map((target, i) => ({ source: names[i] ?? '', target, count: 1_000 - i }))
  expect(inOrder(names.toReversed(), { s0: 1_000 }, moves)).toEqual(names)
})

function inOrder(names: readonly string[], starts: Readonly<Record<string, number>>, moves: ReturnType<typeof movesOf>): readonly string[] {
  const levels = levelsOf(stepsOf(names, starts), moves)
  return names.toSorted((a, b) => (levels.get(a) ?? 0) - (levels.get(b) ?? 0) || (a < b ? -1 : 1))
}

function stepsOf(names: readonly string[], starts: Readonly<Record<string, number>>) {
  return names.map((name) => ({ name, starts: starts[name] ?? 0 }))
}

function movesOf(counts: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  return Object.entries(counts).flatMap(([source, to]) => Object.entries(to).map(([target, count]) => ({ source, target, count })))
}
