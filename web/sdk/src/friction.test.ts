import { expect, test } from 'vitest'
import RageClick from 'posthog-js/lib/src/extensions/rageclick'
import { answer, fail, press, RAGE_PRESETS, walk, type Burst, type Click, type Trail } from './friction'
import { chances } from './testing/world'

const N_STREAMS = 10_000
const SEED = Math.floor(Math.random() * 2 ** 31)

/** Clicks near the borders of every rule: some close in time and place, some not. */
function stream(chance: () => number): Click[] {
  let at = 1_000
  return Array.from({ length: 12 }, () => {
    at += [1, 299, 300, 500, 999, 1_000, 1_001][Math.floor(chance() * 7)]!
    return { at, target: 'same', x: Math.floor(chance() * 3) * 15, y: Math.floor(chance() * 3) * 15 }
  })
}

function rageOf(clicks: readonly Click[], rule: (typeof RAGE_PRESETS)[keyof typeof RAGE_PRESETS]): number[] {
  let burst: Burst | null = null
  const found: number[] = []
  clicks.forEach((click, index) => {
    const [next, isRage] = press(burst, click, rule)
    burst = next
    if (isRage) found.push(index)
  })
  return found
}

test(`the preset "posthog" finds what PostHog's own class finds, in ${N_STREAMS} streams: seed ${SEED}`, () => {
  const chance = chances(SEED)
  for (let n = 0; n < N_STREAMS; n++) {
    const clicks = stream(chance)
    const theirs = new RageClick({})
    const expected = clicks.flatMap(({ x, y, at }, index) => (theirs.isRageClick(x, y, at) ? [index] : []))
    expect(rageOf(clicks, RAGE_PRESETS.posthog), JSON.stringify(clicks)).toEqual(expected)
  }
})

// Thresholds at their borders, as read in each product's source: count, time and place of the last click that still counts.
test.each([
  ['sojourn', 3, 999, 1_000, 29, 30],
  ['posthog', 3, 999, 1_000, 29, 30],
  ['mixpanel', 4, 999, 1_000, 29, 30],
  ['openreplay', 3, 299, 300, 500, null],
] as const)('%s: %i clicks, each at most %i ms after the one before', (name, count, inside, outside, near, far) => {
  const clicks = (gap: number, px: number) => Array.from({ length: count }, (_, n) => ({ at: n * gap, target: 'a', x: n * px, y: 0 }))
  expect(rageOf(clicks(inside, near), RAGE_PRESETS[name])).toEqual([count - 1])
  expect(rageOf(clicks(outside, near), RAGE_PRESETS[name])).toEqual([])
  if (far !== null) expect(rageOf(clicks(inside, far), RAGE_PRESETS[name])).toEqual([])
  expect(rageOf(clicks(inside, near).slice(1), RAGE_PRESETS[name])).toEqual([])
})

test('amplitude wants all four within its window, and a box of 50 px', () => {
  const clicks = (gap: number, px: number) => Array.from({ length: 4 }, (_, n) => ({ at: n * gap, target: 'a', x: n * px, y: 0 }))
  expect(rageOf(clicks(333, 16), RAGE_PRESETS.amplitude)).toEqual([3])
  expect(rageOf(clicks(334, 16), RAGE_PRESETS.amplitude)).toEqual([])
  expect(rageOf(clicks(333, 17), RAGE_PRESETS.amplitude)).toEqual([])
})

test('datadog wants all three within a second, 100 px from one to the next', () => {
  const clicks = (gap: number, px: number) => Array.from({ length: 3 }, (_, n) => ({ at: n * gap, target: 'a', x: n * px, y: 0 }))
  expect(rageOf(clicks(500, 100), RAGE_PRESETS.datadog)).toEqual([2])
  expect(rageOf(clicks(501, 100), RAGE_PRESETS.datadog)).toEqual([])
  expect(rageOf(clicks(500, 101), RAGE_PRESETS.datadog)).toEqual([])
})

test('a burst on several elements is none by rules that ask for one element', () => {
  const clicks = [0, 1, 2].map((n) => ({ at: n * 100, target: `t${n}`, x: 0, y: 0 }))
  expect(rageOf(clicks, RAGE_PRESETS.sojourn)).toEqual([])
  expect(rageOf(clicks, RAGE_PRESETS.posthog)).toEqual([2])
})

const WAITING = { click: { at: 1_000, target: 'a', x: 0, y: 0 }, isAnswered: false, hasError: false }

test.each([
  ['change', 3_500, true],
  ['change', 3_501, false],
  ['change', 999, false],
  ['reflex', 1_100, true],
  ['reflex', 1_101, false],
] as const)('a %s at %i ms answers a click of 1,000 ms: %s', (what, at, isAnswered) => {
  expect(answer(WAITING, what, at).isAnswered).toBe(isAnswered)
})

test('one click has one error, within a second', () => {
  const [failed, isIts] = fail(WAITING, 2_000)
  expect([isIts, fail(failed, 2_000)[1], fail(WAITING, 2_001)[1]]).toEqual([true, false, false])
})

test('who turns back within ten seconds has turned back at once', () => {
  const start: Trail = { before: null, here: '/a', since: 0 }
  const turned = (dwell: number) => {
    const [there] = walk(start, '/b', 50_000)
    return walk(there, '/a', 50_000 + dwell)[1]
  }
  expect([turned(9_999), turned(10_000)]).toEqual(['/b', null])
  expect(walk(walk(start, '/b', 1)[0], '/c', 2)[1]).toBeNull()
})
