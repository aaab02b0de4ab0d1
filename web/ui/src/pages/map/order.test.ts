import { expect, test } from 'vitest'
import { orderOf, steadyOrder } from './order'

/** What people did in a week of the demo's shop: from a step to the next, so often. */
const SHOP: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'Product Viewed': { 'Product Added': 3500, 'Product List Viewed': 1955, 'Products Searched': 806, 'Signed Up': 23, 'Checkout Started': 12 },
  'Product List Viewed': { 'Product Viewed': 3411, 'Products Searched': 113 },
  'Product Added': { 'Signed Up': 1138, 'Product Viewed': 868, 'Checkout Started': 825, 'Cart Emptied': 193, 'Product List Viewed': 163, 'Products Searched': 116 },
  $page: { 'Product List Viewed': 1205, 'Products Searched': 748, 'Product Viewed': 683 },
  'Products Searched': { 'Product Viewed': 1709, 'Product List Viewed': 287 },
  'Checkout Started': { 'Shipping Viewed': 1531, 'Payment Viewed': 235, 'Product List Viewed': 88, 'Products Searched': 51, 'Product Viewed': 48 },
  'Shipping Viewed': { 'Payment Viewed': 1018, 'Product Added': 171, 'Help Opened': 161, 'Checkout Started': 75, 'Product List Viewed': 60, 'Products Searched': 59, 'Product Viewed': 55 },
  $screen: { 'Product List Viewed': 670, 'Products Searched': 377, 'Product Viewed': 373 },
  'Payment Viewed': { 'Order Completed': 624, 'Shipping Viewed': 186, 'Help Opened': 112, 'Product List Viewed': 63, 'Checkout Started': 53, 'Products Searched': 45, 'Product Viewed': 36 },
  'Signed Up': { 'Checkout Started': 1161 },
  'Order Completed': { 'Product Viewed': 26, 'Product List Viewed': 17, 'Products Searched': 16 },
  'Help Opened': { 'Shipping Viewed': 95, 'Payment Viewed': 43, 'Product Viewed': 22, 'Product List Viewed': 22, 'Checkout Started': 22, 'Products Searched': 14 },
  'Cart Emptied': { 'Product List Viewed': 71, 'Product Viewed': 6, 'Products Searched': 1 },
}

test('the shop reads from landing to order, also where a few walks began with a cart', () => {
  const starts = { $page: 3040, $screen: 1629, 'Product Viewed': 2, 'Product Added': 6, 'Payment Viewed': 1 }
  expect(orderOf(stepsOf(Object.keys(SHOP), starts), movesOf(SHOP)).filter((name) => name !== 'Help Opened' && name !== 'Cart Emptied')).toEqual([
    '$page', '$screen', 'Products Searched', 'Product List Viewed', 'Product Viewed', 'Product Added', 'Signed Up', 'Checkout Started',
    'Shipping Viewed', 'Payment Viewed', 'Order Completed',
  ])
})

test('who goes to and fro leaves two steps in the order in which more go', () => {
  const moves = movesOf({ Home: { List: 40 }, List: { View: 900 }, View: { List: 880, Cart: 20 }, Cart: { Home: 15 } })
  expect(orderOf(stepsOf(['View', 'Cart', 'List', 'Home'], { Home: 40 }), moves)).toEqual(['Home', 'List', 'View', 'Cart'])
})

test('who comes back another day begins anew, and does not put the beginning behind what they did before', () => {
  const [there, back] = [movesOf({ Home: { View: 100 }, View: { Buy: 90 } }), movesOf({ View: { Home: 8 }, Buy: { Home: 88 } })]
  const days = back.map((move) => ({ ...move, dwell_p50_ms: 86_400_000 }))
  expect(orderOf(stepsOf(['Buy', 'View', 'Home'], { Home: 4 }), [...there, ...days])).toEqual(['Home', 'View', 'Buy'])
})

test('no single step put elsewhere makes fewer moves lead back', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const next = randoms(7)
  for (let n = 0; n < 20; n += 1) {
    const moves = names.flatMap((source) => names.map((target) => ({ source, target, count: Math.floor(next() * 9), dwell_p50_ms: null })))
    const order = orderOf(stepsOf(names, { a: 3 }), moves)
    const back = (given: readonly string[]) => (
      moves.reduce((sum, move) => sum + (given.indexOf(move.target) < given.indexOf(move.source) ? move.count : 0), 0)
    )
    expect(order.toSorted()).toEqual(names)
    for (const name of names) {
      for (let at = 0; at < names.length; at += 1) {
        const other = order.filter((each) => each !== name).toSpliced(at, 0, name)
        expect(back(other)).toBeGreaterThanOrEqual(back(order))
      }
    }
  }
})

test('an order stays while numbers change, and is found again for other steps, another question, and twice as much', () => {
  const graph = (n_events: number, back: number, names: readonly string[] = ['a', 'b']) => (
    { definition: { n_events }, nodes: stepsOf(names, { a: 5 }), edges: movesOf({ a: { b: 10 }, b: { a: back } }) }
  )
  const first = steadyOrder(null, 'q', graph(100, 9))
  expect(first.order).toEqual(['a', 'b'])
  expect(steadyOrder(first, 'q', graph(150, 11))).toBe(first)
  expect(steadyOrder(first, 'other', graph(150, 11)).order).toEqual(['b', 'a'])
  expect(steadyOrder(first, 'q', graph(200, 11)).order).toEqual(['b', 'a'])
  expect(steadyOrder(first, 'q', graph(150, 9, ['a', 'b', 'c'])).order).toEqual(['a', 'b', 'c'])
})

/** Numbers from 0 to 1 that are the same each time. */
function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}

function stepsOf(names: readonly string[], starts: Readonly<Record<string, number>>) {
  return names.map((name) => ({ name, starts: starts[name] ?? 0 }))
}

function movesOf(counts: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  return Object.entries(counts).flatMap(([source, to]) => Object.entries(to).map(([target, count]) => ({ source, target, count, dwell_p50_ms: null })))
}
