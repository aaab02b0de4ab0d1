import { expect, test } from 'vitest'
import { goalEvent, isClear } from './useLift'

test('a goal in words is of its first event', () => {
  expect(['Order Completed', 'Order Completed if total > 9 within 7d', 'Paid within 1d, worth properties.total', ''].map(goalEvent))
    .toEqual(['Order Completed', 'Order Completed', 'Paid', ''])
})

test('an effect is clear where its interval leaves zero out', () => {
  expect([[0.1, 0.2], [-0.1, 0.2], [-0.2, -0.1], [null, null]].map(([low, high]) => (
    isClear({ estimate: 0, low: low ?? null, high: high ?? null })
  ))).toEqual([true, false, true, false])
})
