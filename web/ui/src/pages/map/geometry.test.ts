import { expect, test } from 'vitest'
import { curvesOf, extentOf, nearest, pointAt, widthOf } from './geometry'

const BOXES = new Map([
  ['A', { x: 0, y: 0, width: 100, height: 40 }],
  ['B', { x: 300, y: 100, width: 100, height: 40 }],
])
const move = (source: string, target: string, way: 'forward' | 'back' | 'repeat') => (
  { id: source + target, source, target, way, people: 1 }
)

test('a move leads from the right of one box to the left of the other, and back above both', () => {
  const curves = curvesOf([move('A', 'B', 'forward'), move('B', 'A', 'back')], BOXES)
  expect(curves.get('AB')).toMatchObject({ from: { x: 100, y: 20 }, to: { x: 300, y: 120 } })
  const back = curves.get('BA')
  expect(back?.from.y).toBe(100)
  expect(Math.max(back?.one.y ?? 0, back?.two.y ?? 0)).toBeLessThan(0)
})

test('a move to another box of its column keeps to the right of it', () => {
  const boxes = new Map([...BOXES, ['C', { x: 0, y: 200, width: 100, height: 40 }]])
  const curve = curvesOf([move('A', 'C', 'forward')], boxes).get('AC')
  expect([curve?.from.x, curve?.to.x]).toEqual([100, 100])
  expect(Math.min(curve?.one.x ?? 0, curve?.two.x ?? 0)).toBeGreaterThan(100)
})

test('a repeat is a loop above its box, and a move to nowhere is not drawn', () => {
  const curves = curvesOf([move('A', 'A', 'repeat'), move('A', 'Z', 'forward')], BOXES)
  expect([...curves.keys()]).toEqual(['AA'])
})

test('a pointer finds the nearest move in reach, and none beyond it', () => {
  const curves = curvesOf([move('A', 'B', 'forward'), move('B', 'A', 'back')], BOXES)
  const middle = pointAt(curves.get('AB')!, 0.5)
  expect(nearest({ x: middle.x, y: middle.y + 3 }, curves, 6)).toBe('AB')
  expect(nearest({ x: middle.x, y: middle.y + 60 }, curves, 6)).toBeNull()
})

test('four times the people are twice as wide, beside the line that all have', () => {
  expect([widthOf(100, 100), widthOf(25, 100), widthOf(0, 100), widthOf(3, 0)]).toEqual([8, 4.5, 1, 1])
})

test('what is brought into view holds the moves that rise above the steps', () => {
  const curves = curvesOf([move('A', 'B', 'forward'), move('B', 'A', 'back')], BOXES)
  const extent = extentOf(BOXES, curves)
  expect(extent).toMatchObject({ x: 0, width: 400 })
  expect(extent.y).toBeLessThan(-20)
  expect(extent.y + extent.height).toBe(140)
  expect(extentOf(BOXES, new Map())).toEqual({ x: 0, y: 0, width: 400, height: 140 })
  expect(extentOf(new Map(), new Map()).width).toBe(0)
})
