/** How big the boxes and labels of a journey's chart are, and what is laid out: pure, so that numbers move nothing. */

import type { ChartState, ChartView, ChartWay } from '../../api/schema'
import type { LayoutTask } from '../graph/layout'

/** Where a journey begins, drawn as a place of its own. */
export const ENTRY_NODE = '>>entry'
export const NODE_WIDTH = 208
const HEAD_PX = 36
const LINE_PX = 17
const MAX_LINES = 3
/** Of the studio's type at 11 px: wide enough for most words, and labels are cut beyond it. */
const LETTER_PX = 6.1
const MAX_LABEL_PX = 220

export function linesOf(state: ChartState): readonly string[] {
  return state.does.length > MAX_LINES ? [...state.does.slice(0, MAX_LINES - 1), `+${state.does.length - MAX_LINES + 1}`] : state.does
}

export function labelOf(way: ChartWay, number: string): string {
  return number ? `${way.label}  ·  ${number}` : way.label
}

/** What is laid out; room for numbers is kept, whether or not there are any yet. */
export function taskOf(chart: ChartView, direction: 'DOWN' | 'RIGHT'): LayoutTask {
  const compounds = new Set(chart.states.flatMap((state) => (state.parent === null ? [] : [state.parent])))
  const entry = chart.ways.find((way) => way.trigger === 'entry')
  return {
    direction,
    style: 'chart',
    nodes: [
      ...(entry ? [{ id: ENTRY_NODE, width: NODE_WIDTH, height: 46 }] : []),
      ...chart.states.map((state) => ({
        id: state.id,
        ...(state.parent === null ? {} : { parent: state.parent }),
        ...(compounds.has(state.id) ? { width: NODE_WIDTH, height: 80 } : sizeOf(state)),
      })),
    ],
    edges: chart.ways.filter((way) => way.target !== '').map((way) => ({
      id: way.id,
      source: way.trigger === 'entry' ? ENTRY_NODE : way.source,
      target: way.target,
      ...(way.trigger === 'entry' ? {} : {
        label: { width: Math.min(MAX_LABEL_PX, (labelOf(way, '9,999').length + 2) * LETTER_PX), height: 18 },
      }),
    })),
  }
}

function sizeOf(state: ChartState): { readonly width: number; readonly height: number } {
  if (state.kind === 'final' || state.kind === 'history') return { width: 132, height: HEAD_PX }
  return { width: NODE_WIDTH, height: HEAD_PX + linesOf(state).length * LINE_PX + (state.does.length ? 6 : 0) }
}

/** A way with its corners rounded, as a path of SVG. */
export function roundedPath(points: readonly { readonly x: number; readonly y: number }[], radius = 7): string {
  const [first, ...rest] = points
  if (!first) return ''
  let path = `M${first.x},${first.y}`
  rest.forEach((corner, i) => {
    const before = i === 0 ? first : (rest[i - 1] ?? first)
    const after = rest[i + 1]
    if (!after) {
      path += `L${corner.x},${corner.y}`
      return
    }
    const [from, to] = [towards(corner, before, radius), towards(corner, after, radius)]
    path += `L${from.x},${from.y}Q${corner.x},${corner.y} ${to.x},${to.y}`
  })
  return path
}

/** The point on the way from one to another, so far away; half the way where they are near. */
function towards(from: { readonly x: number; readonly y: number }, to: { readonly x: number; readonly y: number }, far: number) {
  const apart = Math.hypot(to.x - from.x, to.y - from.y)
  const share = apart === 0 ? 0 : Math.min(far, apart / 2) / apart
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
}
