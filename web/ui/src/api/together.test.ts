import { expect, test } from 'vitest'
import type { JourneyView } from './schema'
import { together } from './together'

const journey = (told: Partial<JourneyView>): JourneyView => ({
  name: 'rescue', version: 'v1', is_open: true, is_paused: false, states: {}, entered: 0, exited: 0, goals: 0, actions: 0, withheld: 0, ...told,
})

test('a journey that was published again is one journey: open, with the people and counts of both versions', () => {
  const old = journey({ version: 'v1', is_open: false, states: { offered: 2 }, entered: 10, exited: 3, goals: 2, actions: 5, withheld: 1 })
  const next = journey({ version: 'v2', states: { offered: 1, waiting: 4 }, entered: 6, exited: 8, goals: 3, actions: 4, withheld: 2 })
  const welcome = journey({ name: 'welcome', entered: 1 })
  const whole = journey({ version: 'v2', states: { offered: 3, waiting: 4 }, entered: 16, exited: 11, goals: 5, actions: 9, withheld: 3 })
  expect(together([old, next, welcome])).toEqual([whole, welcome])
  expect(together([next, old, welcome])).toEqual([whole, welcome])
})

test('a journey whose file is gone stays closed, and a pause of any version is seen', () => {
  const [gone] = together([journey({ is_open: false }), journey({ version: 'v2', is_open: false, is_paused: true })])
  expect([gone?.is_open, gone?.is_paused]).toEqual([false, true])
})
