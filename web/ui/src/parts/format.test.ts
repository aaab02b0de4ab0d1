import { expect, test } from 'vitest'
import { ago, duration, interval, number, points, share } from './format'

test('a share keeps one digit, loses an empty one, and never rounds something to nothing', () => {
  expect([share(0.1234), share(0.5), share(0), share(0.0004), share(null)]).toEqual(['12.3%', '50%', '0%', '<0.1%', '—'])
})

test('a duration is told by its two largest units', () => {
  expect([850, 4_560, 59_000, 200_000, 12_000_000, 90_000_000].map(duration)).toEqual([
    '850ms', '4.6s', '59s', '3m 20s', '3h 20m', '1d 1h',
  ])
})

test('differences carry their sign, and intervals their word', () => {
  expect([points(0.012), points(-0.012), interval(0.12, 0.19), interval(null, 1)]).toEqual([
    '+1.2 pp', '−1.2 pp', '12% to 19%', '',
  ])
})

test('how long ago has one unit, whichever side of now', () => {
  const now = 1_000_000_000
  expect([ago(now - 2_000, now), ago(now - 61_000, now), ago(now + 7_200_000, now)]).toEqual(['now', '1m ago', 'in 2h'])
})

test('a large number is whole, a small one has two digits', () => {
  expect([number(1234.5), number(4.5678), number(2)]).toEqual(['1,235', '4.57', '2'])
})
