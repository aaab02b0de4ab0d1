/** Where the moves of a map are drawn: curves between boxes, from left to right, those that lead back above. */

import type { Direction } from '../../api/questions'
import type { Box, Point } from '../../parts/graph/layout'

/** A cubic Bezier curve. */
export interface Curve {
  readonly from: Point
  readonly one: Point
  readonly two: Point
  readonly to: Point
}

interface Move {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly way: Direction
  readonly people: number
}

type Side = 'left' | 'right' | 'top'

/** Of a box's side, how much moves are spread over. */
const SPREAD = { left: 0.62, right: 0.62, top: 0.5 } as const
const LOOP_PX = 34

/** Draw every move whose two ends have a place. */
export function curvesOf(moves: readonly Move[], boxes: ReadonlyMap<string, Box>): ReadonlyMap<string, Curve> {
  const placed = moves.filter((move) => boxes.has(move.source) && boxes.has(move.target))
  const ports = portsOf(placed, boxes)
  return new Map(placed.map((move) => [move.id, curveOf(move, boxes, ports)]))
}

/** A point of a curve, from 0, its beginning, to 1, its end. */
export function pointAt({ from, one, two, to }: Curve, t: number): Point {
  const u = 1 - t
  const [a, b, c, d] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t]
  return { x: a * from.x + b * one.x + c * two.x + d * to.x, y: a * from.y + b * one.y + c * two.y + d * to.y }
}

/** What all steps and the moves between them take up: moves that lead back rise above the steps. */
export function extentOf(boxes: ReadonlyMap<string, Box>, curves: ReadonlyMap<string, Curve>): Box {
  const points = [...curves.values()].flatMap((curve) => Array.from({ length: N_EXTENT + 1 }, (_, i) => pointAt(curve, i / N_EXTENT)))
  for (const box of boxes.values()) points.push(box, { x: box.x + box.width, y: box.y + box.height })
  const [left, top, right, bottom] = points.reduce(
    ([l, t, r, b], { x, y }) => [Math.min(l, x), Math.min(t, y), Math.max(r, x), Math.max(b, y)], [Infinity, Infinity, -Infinity, -Infinity],
  )
  return points.length > 0 ? { x: left, y: top, width: right - left, height: bottom - top } : { x: 0, y: 0, width: 0, height: 0 }
}

/** A curve bends so little that these points tell how far it goes. */
const N_EXTENT = 8

/** How wide a move is drawn: its area grows with people, and the rarest can still be seen. */
export function widthOf(people: number, most: number): number {
  return most > 0 ? 1 + 7 * Math.sqrt(people / most) : 1
}

/** Which move lies under a point, at most `reach` away: the nearest; null: none. */
export function nearest(at: Point, curves: ReadonlyMap<string, Curve>, reach: number): string | null {
  let found: string | null = null
  let least = reach * reach
  for (const [id, curve] of curves) {
    if (!isNear(at, curve, reach)) continue
    for (let i = 0; i <= STEPS; i += 1) {
      const point = pointAt(curve, i / STEPS)
      const apart = (point.x - at.x) ** 2 + (point.y - at.y) ** 2
      if (apart < least) [found, least] = [id, apart]
    }
  }
  return found
}

/** Points that a curve is looked at by; its pieces are then shorter than what a pointer reaches. */
const STEPS = 48

function isNear(at: Point, { from, one, two, to }: Curve, reach: number): boolean {
  return at.x >= Math.min(from.x, one.x, two.x, to.x) - reach && at.x <= Math.max(from.x, one.x, two.x, to.x) + reach &&
    at.y >= Math.min(from.y, one.y, two.y, to.y) - reach && at.y <= Math.max(from.y, one.y, two.y, to.y) + reach
}

function curveOf(move: Move, boxes: ReadonlyMap<string, Box>, ports: ReadonlyMap<string, Point>): Curve {
  if (move.source === move.target) return loopOf(boxes.get(move.source) as Box)
  const from = ports.get(`${move.id} out`) as Point
  const to = ports.get(`${move.id} in`) as Point
  const apart = Math.abs(to.x - from.x)
  const side = sideOf(move, boxes)
  if (side === 'beside') {
    const bulge = 26 + Math.min(Math.abs(to.y - from.y) * 0.16, 46)
    return { from, one: { x: from.x + bulge, y: from.y }, two: { x: to.x + bulge, y: to.y }, to }
  }
  if (side === 'above') {
    const rise = 36 + Math.min(apart * 0.22, 190)
    const top = Math.min(from.y, to.y) - rise
    return { from, one: { x: from.x, y: top }, two: { x: to.x, y: top }, to }
  }
  const bend = Math.max(36, apart * 0.45)
  return { from, one: { x: from.x + bend, y: from.y }, two: { x: to.x - bend, y: to.y }, to }
}

function loopOf(box: Box): Curve {
  const from = { x: box.x + box.width - 34, y: box.y }
  const to = { x: box.x + box.width - 12, y: box.y }
  return { from, one: { x: from.x - 8, y: from.y - LOOP_PX }, two: { x: to.x + 8, y: to.y - LOOP_PX }, to }
}

/** Where a move goes: on to the right, beside a column to another box of it, or back above all. */
function sideOf(move: Move, boxes: ReadonlyMap<string, Box>): 'on' | 'beside' | 'above' {
  const [source, target] = [boxes.get(move.source) as Box, boxes.get(move.target) as Box]
  if (target.x >= source.x + source.width) return 'on'
  return Math.abs(target.x - source.x) < source.width / 2 ? 'beside' : 'above'
}

/** Spread the ends of moves over the sides of boxes, so that those to above leave above the others. */
function portsOf(moves: readonly Move[], boxes: ReadonlyMap<string, Box>): ReadonlyMap<string, Point> {
  const sides = new Map<string, { readonly key: string; readonly by: number }[]>()
  const add = (name: string, side: Side, key: string, by: number) => {
    const place = `${side} ${name}`
    const known = sides.get(place)
    if (known) known.push({ key, by })
    else sides.set(place, [{ key, by }])
  }
  for (const move of moves) {
    if (move.source === move.target) continue
    const [source, target] = [boxes.get(move.source) as Box, boxes.get(move.target) as Box]
    const side = sideOf(move, boxes)
    const isAbove = side === 'above'
    add(move.source, isAbove ? 'top' : 'right', `${move.id} out`, isAbove ? target.x : target.y)
    add(move.target, isAbove ? 'top' : side === 'beside' ? 'right' : 'left', `${move.id} in`, isAbove ? source.x : source.y)
  }
  const ports = new Map<string, Point>()
  for (const [place, ends] of sides) {
    const [side, name] = [place.slice(0, place.indexOf(' ')) as Side, place.slice(place.indexOf(' ') + 1)]
    ends.sort((a, b) => a.by - b.by).forEach(({ key }, i) => {
      ports.set(key, portAt(boxes.get(name) as Box, side, (i + 1) / (ends.length + 1)))
    })
  }
  return ports
}

function portAt(box: Box, side: Side, share: number): Point {
  const along = 0.5 + (share - 0.5) * SPREAD[side]
  if (side === 'top') return { x: box.x + box.width * along, y: box.y }
  return { x: side === 'left' ? box.x : box.x + box.width, y: box.y + box.height * along }
}
