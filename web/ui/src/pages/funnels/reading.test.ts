import { expect, test } from 'vitest'

import type { FunnelAnswer } from './answers'
import { conversionOf, funnelSheet, idOf, largestDrop, segmentsOf, stepRows, suggestSteps } from './reading'

const share = { count: 1, of: 2, share: 0.5, low: 0.1, high: 0.9 }
const step = (name: string) => ({ step: name, count: 2, people: 2, dropped: 1, from_start: share, from_previous: share })
const by = (kind: string, country: string | null, n: number, count: number) => ({ kind, country, n, step: 's', count, dropped: 0, from_start: 0.5, from_start_low: 0, from_start_high: 1 })
const went = (n: number, kind: string, next: string | null, count: number) => ({ n, after: 's', kind, next, count, people: count, share: 0.1 })

const answer = {
  steps: [step('View'), step('Buy')],
  times: [{ n: 2, step: 'Buy', count: 2, from_previous_p50_ms: 900 }],
  went_to: [went(1, 'ended', null, 9), went(1, 'step', 'Help', 1), went(1, 'other', null, 5), went(1, 'step', 'Home', 4), went(2, 'ended', null, 1)],
  by: [by('other', null, 1, 50), by('value', 'SE', 1, 3), by('value', 'DE', 2, 1), by('value', 'DE', 1, 7), by('none', null, 1, 1)],
} as unknown as FunnelAnswer

test('each step has its own time and where its people went: steps first, the end last', () => {
  const rows = stepRows(answer)
  expect(rows.map((row) => row.time?.from_previous_p50_ms ?? null)).toEqual([null, 900])
  expect(rows[0]!.wentTo.map((row) => row.next ?? row.kind)).toEqual(['Home', 'Help', 'other', 'ended'])
})

test('segments come by size with their steps in order; those that are none come last', () => {
  const segments = segmentsOf(answer, 'country', 'others', 'unknown')
  expect(segments.map((one) => [one.name, one.steps.map((row) => row.n)])).toEqual([
    ['DE', [1, 2]], ['SE', [1]], ['others', [1]], ['unknown', [1]],
  ])
})

test('what got through is the last step’s share of the start', () => {
  expect(conversionOf(answer)).toBe(share)
  expect(conversionOf({ ...answer, steps: [] })).toBeNull()
})

test('a listed person is asked for without the letter of their kind', () => {
  expect([idOf('u:ada'), idOf('a:d-1'), idOf('plain'), idOf('x:y')]).toEqual(['ada', 'd-1', 'plain', 'x:y'])
})

test('a sheet has a cell for each column', () => {
  const sheet = funnelSheet(answer)
  expect(sheet.rows.map((row) => row.length)).toEqual([sheet.columns.length, sheet.columns.length])
})

test('the largest drop is of those who were there, not in number', () => {
  const steps = [{ step: 'a', count: 100, dropped: 40 }, { step: 'b', count: 60, dropped: 30 }, { step: 'c', count: 30, dropped: 0 }]
  expect(largestDrop({ ...answer, steps } as unknown as FunnelAnswer)).toEqual({ step: 'b', share: 0.5 })
  expect(largestDrop({ ...answer, steps: [{ step: 'a', count: 3, dropped: 0 }, { step: 'b', count: 3, dropped: 0 }] } as unknown as FunnelAnswer)).toBeNull()
})

test('a suggested funnel goes from what most people do to the goal, and leaves side ways out', () => {
  const node = (name: string, people: number, conversion: number) => ({ name, kind: 'step', people, conversion })
  const edge = (source: string, target: string, count: number) => ({ source, target, count })
  const nodes = [
    node('$page', 99, 0.1), node('View', 90, 0.2), node('Search', 70, 0.1), node('Cart', 50, 0.4), node('Sign Up', 40, 0.5), node('Pay', 20, 0.8),
    node('Order', 15, 1), node('Help', 5, 0.5),
  ]
  const edges = [edge('View', 'Cart', 40), edge('Cart', 'View', 10), edge('Sign Up', 'Cart', 30), edge('Cart', 'Pay', 20)]
  expect(suggestSteps(nodes, edges, 'Order')).toEqual(['View', 'Cart', 'Pay', 'Order'])
  expect(suggestSteps(nodes, edges, 'Nowhere')).toEqual([])
})

test('a long way is suggested with its beginning and its end', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const nodes = [...names.map((name, i) => ({ name, kind: 'step', people: 100 - i, conversion: i / 10 })), { name: 'goal', kind: 'step', people: 1, conversion: 1 }]
  const edges = names.slice(1).map((target, i) => ({ source: names[i]!, target, count: 5 }))
  expect(suggestSteps(nodes, edges, 'goal')).toEqual(['a', 'c', 'e', 'g', 'goal'])
})
