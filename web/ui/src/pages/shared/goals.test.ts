import { expect, test } from 'vitest'

import { likelyGoal } from './goals'

test('an order is likelier the goal than a sign-up, wherever it stands', () => {
  expect(likelyGoal(['$page', 'Signed Up', 'Order Completed'])).toBe('Order Completed')
  expect(likelyGoal(['Product Viewed', 'Signed Up'])).toBe('Signed Up')
})

test('no goal is made up where no name is likely', () => {
  expect(likelyGoal(['Product Viewed', 'Cart Emptied'])).toBe('')
})
