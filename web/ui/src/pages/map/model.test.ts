import { expect, test } from 'vitest'
import type { GraphAnswer, GraphEdge, GraphNode } from '../../api/questions'
import { modelOf, usualOrder, withoutRare } from './model'

test('a shop in its usual order: what leads back is told apart from what leads on', () => {
  const order = usualOrder([node('Buy'), node('View'), node('Cart'), node('Home', 100)], [
    edge('Home', 'View', 90), edge('View', 'Cart', 50), edge('Cart', 'Buy', 20), edge('Cart', 'View', 15), edge('Buy', 'Home', 2),
  ])
  expect([...order.keys()]).toEqual(['Home', 'View', 'Cart', 'Buy'])
})

test('of an acyclic graph no move leads back, whatever order its steps are told in', () => {
  let seed = 1
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let round = 0; round < 50; round += 1) {
    const names = Array.from({ length: 8 }, (_, i) => `s${i}`)
    const edges = names.flatMap((source, i) => names.slice(i + 1)
      .filter(() => random() < 0.4).map((target) => edge(source, target, 1 + Math.floor(random() * 9))))
    const order = usualOrder(names.map((name) => node(name)).toSorted(() => random() - 0.5), edges)
    const back = edges.filter((each) => (order.get(each.source) ?? 0) > (order.get(each.target) ?? 0))
    expect(back, `round ${round}`).toEqual([])
  }
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
