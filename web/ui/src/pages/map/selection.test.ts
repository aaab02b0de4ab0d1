import { expect, test } from 'vitest'
import { readFilter, sidesOf, usualSides, variantOf, writeFilter } from './selection'

test.each([
  ['channel', false, 'email', 'where', 'channel=email'],
  ['channel', true, 'email', 'where', 'channel!=email'],
  ['segment', false, 'buyers', 'segment', 'buyers'],
  ['segment', true, 'buyers', 'segment', '!buyers'],
  [variantOf('checkout'), false, 'treatment', 'variant', 'checkout=treatment'],
  [variantOf('checkout'), true, 'a=b', 'variant', 'checkout!=a=b'],
] as const)('%s, not: %s, %s is asked as %s %s, and read back', (attribute, isNot, value, kind, text) => {
  expect(writeFilter(attribute, isNot, value)).toEqual({ kind, text })
  expect(readFilter(kind, text)).toEqual({ attribute, isNot, value })
})

test('a variant is compared with the control, or with the first where none is called so', () => {
  expect(usualSides(['control', 'treatment'])).toEqual(['treatment', 'control'])
  expect(usualSides(['free_shipping', 'none', 'ten_off'])).toEqual(['free_shipping', 'none'])
  expect(usualSides(['a', 'b'])).toEqual(['b', 'a'])
  expect(usualSides([])).toEqual(['', ''])
})

test.each([
  ['channel=email:direct', { attribute: 'channel', one: 'email', other: 'direct' }],
  ['channel=email', { attribute: 'channel', one: 'email', other: '' }],
  ['page=/list?sort=new', { attribute: 'page', one: '/list?sort=new', other: '' }],
  ['2026-03-01T10:00:00Z', null],
])('two sides are read out of %s', (compare, sides) => {
  expect(sidesOf(compare)).toEqual(sides)
})
