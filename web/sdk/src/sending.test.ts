import { expect, test } from 'vitest'
import { nextTry, readRetryAfter, verdictOf } from './sending'

test('waits double up to a minute, and half of each is chance', () => {
  const most = Array.from({ length: 9 }, (_, n) => nextTry(n + 1, 0, 1))
  expect(most).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  expect(nextTry(3, 0, 0)).toBe(2_000)
  expect(nextTry(1_000_000, 0, 1)).toBe(60_000)
})

test('what the server asks for is waited for, up to a quarter of an hour', () => {
  expect(nextTry(1, 30_000, 0)).toBe(30_000)
  expect(nextTry(1, 10 ** 9, 0)).toBe(900_000)
})

test('Retry-After is seconds or a date', () => {
  expect(readRetryAfter('120', 0)).toBe(120_000)
  expect(readRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 10_000)).toBe(50_000)
  expect([null, 'soon', '-5', 'Thu, 01 Jan 1970 00:00:00 GMT'].map((text) => readRetryAfter(text, 5))).toEqual([0, 0, 0, 0])
})

test.each([
  [200, 1, 'taken'],
  [202, 9, 'taken'],
  [0, 1, 'later'],
  [302, 1, 'later'],
  [408, 1, 'later'],
  [429, 1, 'later'],
  [500, 1, 'later'],
  [503, 1, 'later'],
  [401, 2, 'misled'],
  [404, 1, 'misled'],
  [400, 2, 'split'],
  [413, 2, 'split'],
  [400, 1, 'drop'],
  [415, 1, 'drop'],
] as const)('%i for %i events: %s', (status, n, verdict) => {
  expect(verdictOf(status, n)).toBe(verdict)
})
