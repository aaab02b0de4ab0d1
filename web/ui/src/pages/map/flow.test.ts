import { expect, test } from 'vitest'
import type { FlowsAnswer } from '../../api/questions'
import { flowRows, sankeyOf } from './flow'

const FLOWS: FlowsAnswer = {
  definition: { n_cases: 3, around: 'A' },
  nodes: [
    { column: 0, kind: 'step', name: 'A', count: 3 }, { column: 1, kind: 'step', name: 'A', count: 2 }, { column: 1, kind: 'ended', name: null, count: 1 },
  ],
  links: [
    { column: 0, source_kind: 'step', source: 'A', target_kind: 'step', target: 'A', count: 2 },
    { column: 0, source_kind: 'step', source: 'A', target_kind: 'ended', target: null, count: 1 },
    { column: 1, source_kind: 'step', source: 'A', target_kind: 'ended', target: null, count: 2 },
  ],
}

test('a step in two columns is two places, so that a repeat is no circle', () => {
  const { nodes, links } = sankeyOf(FLOWS)
  expect(new Set(nodes.map((node) => node.name)).size).toBe(3)
  expect(links.every((link) => link.source !== link.target)).toBe(true)
})

test('a band to a place that is not drawn is left out of the drawing, and stays in the rows', () => {
  expect(sankeyOf(FLOWS).links).toHaveLength(2)
  expect(flowRows(FLOWS)).toEqual([[1, 'A', 'A', 2], [1, 'A', 'Left', 1], [2, 'A', 'Left', 2]])
})
