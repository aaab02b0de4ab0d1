import { expect, test } from 'vitest'
import { askedRange, rangeChoice, rangeOf } from './ranges'

const NOW = Date.parse('2026-03-08T12:30:40.500Z')

test('the last days are asked for to the minute, so that looking again asks the same', () => {
  expect(askedRange({ since: 'last:7d', until: '' }, NOW)).toEqual({ since: '2026-03-01T12:30:00Z' })
  expect(askedRange({ since: 'last:7d', until: '' }, NOW + 10_000)).toEqual({ since: '2026-03-01T12:30:00Z' })
})

test('what the address cannot mean asks for everything', () => {
  expect(askedRange({ since: 'last:x', until: '' }, NOW)).toEqual({})
})

test('each choice of the picker is found again from its range', () => {
  const lasts = ['24h', '7d']
  for (const choice of ['all', 'custom', ...lasts]) expect(rangeChoice(rangeOf(choice, NOW), lasts)).toBe(choice)
})
