import { expect, test } from 'vitest'
import type { GraphAnswer, GraphEdge, GraphNode } from '../../api/questions'
import { columnsOf, modelOf, withoutRare } from './model'

test('columns follow the order, and a large graph is about twice as wide as high', () => {
  const names = Array.from({ length: 200 }, (_, i) => `s${i}`)
  const columns = columnsOf(names)
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

test('moves against the order lead back, and who leaves is counted of the walks that visit', () => {
  const graph = answer([{ ...node('A', 10), count: 30, repeats: 5, returns: 15, ends: 4 }, node('B', 0, 8)], [edge('A', 'B', 8), edge('B', 'A', 3)])
  const model = modelOf(graph, { order: ['A', 'B'], goals: [], rare: 0, findings: [], differences: [] })
  expect(model.edges.map((each) => each.way)).toEqual(['forward', 'back'])
  expect(model.nodes[0]?.leaving).toBe(0.4)
})

test('where steps are to stay, only moves go', () => {
  const graph = answer([node('A', 100), node('B', 0, 60), node('C', 0, 5)], [edge('A', 'B', 60), edge('A', 'C', 5), edge('B', 'A', 2), edge('C', 'A', 1)])
  const model = modelOf(graph, { order: ['A', 'B', 'C'], goals: [], rare: 0.1, keepsSteps: true, findings: [], differences: [] })
  expect([model.nodes.length, model.nHiddenNodes]).toEqual([3, 0])
})

test('the ranks that the server knows are believed, and friction is told of the step it begins at', () => {
  const graph = answer([node('A', 100), node('B', 0, 50)], [{ ...edge('A', 'B', 50), direction: 'skip' }, edge('A', 'A', 4)])
  const findings = [0.1, 0.3, 0.2].map((share) => (
    { kind: 'standing' as const, signal: `s${share}`, steps: ['A'], people: 1, at_risk: 2, share }
  ))
  const model = modelOf(graph, { order: ['A', 'B'], goals: ['B'], rare: 0, findings, differences: [] })
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
