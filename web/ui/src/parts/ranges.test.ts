import { expect, test, vi } from 'vitest'
import { askedRange, rangeChoice, rangeOf } from './ranges'

const NOW = Date.parse('2026-03-08T12:30:40.500Z')

test('the last days are asked for to the minute, so that looking again asks the same', () => {
  expect(askedRange({ since: 'last:7d', until: '' }, NOW)).toEqual({ since: '2026-03-01T12:30:00Z' })
  expect(askedRange({ since: 'last:7d', until: '' }, NOW + 10_000)).toEqual({ since: '2026-03-01T12:30:00Z' })
})

test.each([
  ['Europe/Paris', '2026-02-28T23:00:00Z', '2026-03-02T23:00:00Z'],
  ['America/New_York', '2026-03-01T05:00:00Z', '2026-03-03T05:00:00Z'],
  ['UTC', '2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z'],
])('days are those of the reader in %s, and the last one is in it', (zone, since, until) => {
  vi.stubEnv('TZ', zone)
  try {
    expect(askedRange({ since: '2026-03-01', until: '2026-03-02' }, NOW)).toEqual({ since, until })
  } finally {
    vi.unstubAllEnvs()
  }
})

test('a day on which clocks are put forward has 23 hours', () => {
  vi.stubEnv('TZ', 'America/New_York')
  try {
    expect(askedRange({ since: '2026-03-08', until: '2026-03-08' }, NOW)).toEqual({ since: '2026-03-08T05:00:00Z', until: '2026-03-09T04:00:00Z' })
  } finally {
    vi.unstubAllEnvs()
  }
})

test('what the address cannot mean asks for everything', () => {
  expect(askedRange({ since: 'last:x', until: '' }, NOW)).toEqual({})
  expect(askedRange({ since: 'yesterday', until: '2026-3-1' }, NOW)).toEqual({})
})

test('each choice of the picker is found again from its range', () => {
  const lasts = ['24h', '7d']
  for (const choice of ['all', 'custom', ...lasts]) expect(rangeChoice(rangeOf(choice, NOW), lasts)).toBe(choice)
})
