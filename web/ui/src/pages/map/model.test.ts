import { expect, test } from 'vitest'
import type { GraphAnswer, GraphEdge, GraphNode } from '../../api/questions'
import { columnsOf, modelOf, usualDepth, withoutRare } from './model'

test('a shop in its usual order: what leads back is told apart from what leads on', () => {
  const depth = usualDepth([node('Buy'), node('View'), node('Cart'), node('Home', 100)], [
    edge('Home', 'View', 90), edge('View', 'Cart', 50), edge('Cart', 'Buy', 20), edge('Cart', 'View', 15), edge('Buy', 'Home', 2),
  ])
  expect([...depth].toSorted((a, b) => a[1] - b[1]).map(([name]) => name)).toEqual(['Home', 'View', 'Cart', 'Buy'])
})

test('a depth is the number of moves of the likeliest way: of a chain, its place in it', () => {
  const names = ['a', 'b', 'c', 'd']
  const edges = names.slice(1).map((target, i) => edge(names[i] ?? '', target, 10 - i))
  const depth = usualDepth(names.map((name, i) => node(name, i === 0 ? 10 : 0)), edges)
  expect([...depth.values()].map(Math.floor)).toEqual([0, 1, 2, 3])
})

test('going round in circles puts nothing further from the beginning', () => {
  const depth = usualDepth([node('Home', 10), node('List'), node('View'), node('Cart')], [
    edge('Home', 'List', 40), edge('List', 'View', 900), edge('View', 'List', 880), edge('View', 'Cart', 20), edge('Cart', 'Home', 15),
  ])
  expect(['Home', 'List', 'View', 'Cart'].map((name) => Math.floor(depth.get(name) ?? -1))).toEqual([0, 1, 2, 3])
})

test('of two ways as likely the one with fewer moves counts', () => {
  const depth = usualDepth([node('a', 8), node('b'), node('c')], [edge('a', 'c', 1), edge('a', 'b', 1), edge('b', 'c', 1)])
  expect(Math.floor(depth.get('c') ?? -1)).toBe(1)
})

test('a circle that nobody enters stands behind all others', () => {
  const depth = usualDepth([node('in', 1), node('a'), node('b')], [edge('a', 'b', 1), edge('b', 'a', 1)])
  expect([...depth].map(([name, each]) => [name, Math.floor(each)])).toEqual([['in', 0], ['a', 5], ['b', 5]])
})

test('columns follow depth, and a large graph is about twice as wide as high', () => {
  const names = Array.from({ length: 200 }, (_, i) => `s${String(i).padStart(3, '0')}`)
  const columns = columnsOf(names, new Map(names.map((name, i) => [name, i])))
  const inOrder = names.map((name) => columns.get(name) ?? -1)
  expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b))
  expect(Math.max(...inOrder)).toBe(12)
})

test('rare moves go, and every step that stays keeps a way in and a way out', () => {
  const graph = answer(
    [node('A', 100), node('B', 0, 60), node('C', 0, 5)],
    [edge('A', 'B', 60), edge('A', 'C', 5), edge('B', 'A', 2)],
  )
  const shown = withoutRare(graph, 0.1)
  expect(shown.nodes.map((each) => each.name)).toEqual(['A', 'B'])
  expect(shown.edges.map((each) => `${each.source}${each.target}`)).toEqual(['AB', 'BA'])
  expect(withoutRare(graph, 0.1, ['C']).nodes).toHaveLength(3)
})

test('where steps are to stay, only moves go', () => {
  const graph = answer([node('A', 100), node('B', 0, 60), node('C', 0, 5)], [edge('A', 'B', 60), edge('A', 'C', 5), edge('B', 'A', 2), edge('C', 'A', 1)])
  const model = modelOf(graph, { goals: [], rare: 0.1, keepsSteps: true, findings: [], differences: [] })
  expect([model.nodes.length, model.nHiddenNodes]).toEqual([3, 0])
})

test('the ranks that the server knows are believed, and friction is told of the step it begins at', () => {
  const graph = answer([node('A', 100), node('B', 0, 50)], [{ ...edge('A', 'B', 50), direction: 'skip' }, edge('A', 'A', 4)])
  const findings = [0.1, 0.3, 0.2].map((share) => (
    { kind: 'standing' as const, signal: `s${share}`, steps: ['A'], people: 1, at_risk: 2, share }
  ))
  const model = modelOf(graph, { goals: ['B'], rare: 0, findings, differences: [] })
  expect(model.edges.map((each) => each.way)).toEqual(['skip', 'repeat'])
  expect(model.nodes.map((each) => [each.isGoal, each.friction?.signal ?? null])).toEqual([[false, 's0.3'], [true, null]])
})

function node(name: string, starts = 0, people = starts): GraphNode {
  return {
    name, kind: 'step', count: people, people, sessions: null, share: 0, starts, ends: 0, repeats: 0, returns: 0,
    dwell_p50_ms: null, dwell_p90_ms: null,
  }
}

function edge(source: string, target: string, people: number): GraphEdge {
  return { source, target, kind: 'step', count: people, people, share: 0, direction: null, dwell_p50_ms: null, dwell_p90_ms: null }
}

function answer(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphAnswer {
  return { definition: { n_events: 0, n_people: 100, n_cases: 100, selection: '' }, nodes, edges }
}
