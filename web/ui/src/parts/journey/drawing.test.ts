import { expect, test } from 'vitest'
import type { ChartState, ChartView } from '../../api/schema'
import { ENTRY_NODE, linesOf, roundedPath, taskOf } from './drawing'

const state = (id: string, more: Partial<ChartState> = {}): ChartState => (
  { id, label: id, kind: 'atomic', step: '', parent: null, is_initial: false, does: [], line: null, ...more }
)
const CHART: ChartView = {
  journey: 'j', version: 'v', entry: {}, goal: 'Bought', exits: [], holdout: '',
  states: [state('a'), state('b', { kind: 'compound' }), state('b.c', { parent: 'b' })],
  ways: [
    { id: '>>entry', source: '', target: 'a', label: 'Seen', trigger: 'entry', line: 1 },
    { id: 'a>b>X', source: 'a', target: 'b', label: 'X', trigger: 'event', line: 2 },
    { id: '>>goal', source: '', target: '', label: 'Bought', trigger: 'goal', line: 3 },
  ],
}

test('a journey begins at a place of its own, states stand in one another, and what leads nowhere is no edge', () => {
  const task = taskOf(CHART, 'DOWN')
  expect(task.nodes.map((node) => [node.id, node.parent ?? null])).toEqual([[ENTRY_NODE, null], ['a', null], ['b', null], ['b.c', 'b']])
  expect(task.edges.map((edge) => [edge.source, edge.target])).toEqual([[ENTRY_NODE, 'a'], ['a', 'b']])
})

test('many actions are cut, and how many more there are is said', () => {
  expect(linesOf(state('a', { does: ['1', '2', '3', '4', '5'] }))).toEqual(['1', '2', '+3'])
})

test('corners are rounded by no more than half the way to the next', () => {
  expect(roundedPath([{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 10, y: 4 }], 7)).toBe('M0,0L5,0Q10,0 10,2L10,4')
  expect(roundedPath([])).toBe('')
})
