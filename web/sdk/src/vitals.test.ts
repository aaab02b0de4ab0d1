import { expect, test } from 'vitest'
import { addInteraction, addShift, inpOf, type Shifts } from './vitals'

const NONE: Shifts = { worst: 0, sum: 0, first: 0, last: 0 }

function shifted(...shifts: readonly (readonly [value: number, at: number])[]): number {
  return shifts.reduce((all, [value, at]) => addShift(all, value, at), NONE).worst
}

test('shifts within a second of one another are one window', () => {
  expect(shifted([1, 0], [2, 999], [4, 1_998])).toBe(7)
  expect(shifted([1, 0], [2, 1_000])).toBe(2)
})

test('a window ends after five seconds, and the worst one counts', () => {
  const each = Array.from({ length: 8 }, (_, n) => [1, n * 900] as const)
  expect(shifted(...each)).toBe(6)
})

test('of fifty interactions one outlier is not counted', () => {
  const times = (n: number) => Array.from({ length: n }, (_, id) => [id + 1, id === 0 ? 5_000 : 100 + id] as const)
  const inp = (n: number) => inpOf(times(n).reduce((all, [id, ms]) => addInteraction(all, id, ms), new Map<number, number>()), n)
  expect(inp(0)).toBeNull()
  expect(inp(10)).toBe(5_000)
  expect(inp(60)).toBe(159)
})

test('an interaction is as long as its longest event', () => {
  const once = addInteraction(new Map(), 1, 80)
  expect(inpOf(addInteraction(addInteraction(once, 1, 40), 1, 120), 1)).toBe(120)
})
