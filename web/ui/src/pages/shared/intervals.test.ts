import { expect, test } from 'vitest'

import { heightOf, reach, type IntervalSeries } from './intervals'

const series = (...points: IntervalSeries['points']): readonly IntervalSeries[] => [{ name: 'a', colour: 'red', points }]

test('the axis begins at nothing and holds every end that is known', () => {
  const [low, high] = reach({ series: series({ estimate: 5, low: null, high: 10 }, null) })
  expect([low, high]).toEqual([0, 10.4])
})

test('a loss is seen as well as nothing is', () => {
  const [low, high] = reach({ series: series({ estimate: -5, low: -10, high: -1 }), hasZero: true })
  expect(low).toBeCloseTo(-10.4)
  expect(high).toBeGreaterThan(0)
})

test('an axis of nothing is still an axis', () => {
  const [low, high] = reach({ series: series(null, { estimate: null, low: null, high: Infinity }) })
  expect(high).toBeGreaterThan(low)
})

test('more series or more categories take more room', () => {
  const of = (nSeries: number, nCategories: number) =>
    heightOf({ categories: Array<string>(nCategories).fill('x'), series: Array.from({ length: nSeries }, () => series(null)[0]!) })
  expect(of(2, 3)).toBeGreaterThan(of(1, 3))
  expect(of(2, 4)).toBeGreaterThan(of(2, 3))
})
