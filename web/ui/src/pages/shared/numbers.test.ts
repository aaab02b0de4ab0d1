import { expect, test } from 'vitest'

import { bounds, chance, many, signed } from './numbers'

const plain = (x: number) => String(x)

test('a gain and a loss differ by their sign, and nothing has none', () => {
  expect([signed(3), signed(-3.21), signed(0), signed(null)]).toEqual(['+3', '−3.2', '0', '—'])
})

test('an interval says which of its ends is open', () => {
  expect(bounds(1, 2, plain)).toBe('1 to 2')
  expect(bounds(null, 2, plain)).toBe('up to 2')
  expect(bounds(1, undefined, plain)).toBe('from 1')
  expect(bounds(null, null, plain)).toBe('—')
})

test('a tiny p-value is only small', () => {
  expect([chance(0.00001), chance(0.04), chance(null)]).toEqual(['< 0.001', '0.040', '—'])
})

test('one of something has no s', () => {
  expect([many(1, 'event'), many(1200, 'event'), many(2, 'person', 'people')]).toEqual([
    '1 event', '1,200 events', '2 people',
  ])
})
