/** The moves of the map on one canvas below its steps: two thousand curves cost one drawing, and no elements.
 *
 * When a move gets more people, dots run along it, so that one sees the map live.
 */

import { useStoreApi } from '@xyflow/react'
import { useEffect, useMemo, useRef } from 'react'
import { fade, useColourValues, type Colours } from '../../parts/chart/colours'
import { points, share, shortCount } from '../../parts/format'
import { pointAt, widthOf, type Curve } from './geometry'
import type { MapEdge } from './model'
import css from './Map.module.css'

interface Props {
  readonly edges: readonly MapEdge[]
  readonly curves: ReadonlyMap<string, Curve>
  /** Drawn with their numbers, the others faint; empty: all alike. */
  readonly lit: ReadonlySet<string>
  readonly isDifference: boolean
}

interface Stroke {
  readonly colour: string
  readonly width: number
  readonly isDashed: boolean
  readonly path: Path2D
  readonly heads: Path2D
}

interface Drawn {
  readonly x: number
  readonly y: number
  readonly zoom: number
  readonly at_ms: number
}

/** Beyond these a drawing costs more than a frame. */
const MANY_MOVES = 400
const REDRAW_MS = 220
const DOT_MS = 1_100
/** Dots of one update, at most: of many moves at once the busiest. */
const MAX_DOTS = 120
/** Between two numbers, px of the map. */
const APART = { x: 66, y: 17 }
/** Numbers are written on so many moves, the busiest. */
const N_NUMBERS = 24

export function EdgeLayer({ edges, curves, lit, isDifference }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const store = useStoreApi()
  const colours = useColourValues()
  const strokes = useMemo(
    () => strokesOf(edges, curves, { colours, lit, isDifference }), [edges, curves, colours, lit, isDifference],
  )
  const numbers = useMemo(() => numbersOf(edges, curves, lit, isDifference), [edges, curves, lit, isDifference])
  const dots = useDots(edges, curves)
  useEffect(() => {
    const place = canvas.current
    const context = place?.getContext('2d')
    if (!place || !context) return undefined
    let frame = 0
    let drawn: Drawn | null = null
    const isMany = edges.length > MANY_MOVES
    const draw = () => {
      frame = 0
      const { transform: [x, y, zoom], width, height } = store.getState()
      const now = performance.now()
      // Of very many moves the last drawing is moved along for a moment, and drawn anew a few times a second.
      if (isMany && drawn && now - drawn.at_ms < REDRAW_MS && (drawn.x !== x || drawn.y !== y || drawn.zoom !== zoom)) {
        const scale = zoom / drawn.zoom
        place.style.transform = `translate(${x - drawn.x * scale}px, ${y - drawn.y * scale}px) scale(${scale})`
        ask()
        return
      }
      place.style.transform = ''
      drawn = { x, y, zoom, at_ms: now }
      const density = devicePixelRatio || 1
      if (place.width !== Math.round(width * density) || place.height !== Math.round(height * density)) {
        place.width = Math.round(width * density)
        place.height = Math.round(height * density)
      }
      context.setTransform(1, 0, 0, 1, 0, 0)
      context.clearRect(0, 0, place.width, place.height)
      context.setTransform(density * zoom, 0, 0, density * zoom, density * x, density * y)
      drawStrokes(context, strokes)
      if (zoom > 0.45) drawNumbers(context, numbers, colours)
      if (drawDots(context, dots.current, colours)) ask()
    }
    const ask = () => { frame ||= requestAnimationFrame(draw) }
    dots.ask = ask
    ask()
    const leave = store.subscribe(ask)
    return () => {
      leave()
      cancelAnimationFrame(frame)
    }
  }, [store, strokes, numbers, colours, dots, edges.length])
  return <canvas ref={canvas} className={css.canvas} aria-hidden />
}

function strokesOf(
  edges: readonly MapEdge[], curves: ReadonlyMap<string, Curve>,
  how: { readonly colours: Colours; readonly lit: ReadonlySet<string>; readonly isDifference: boolean },
): readonly Stroke[] {
  const most = Math.max(1, ...edges.map((edge) => edge.people))
  const groups = new Map<string, Stroke>()
  for (const edge of edges.toSorted((a, b) => a.people - b.people)) {
    const curve = curves.get(edge.id)
    if (!curve) continue
    const width = how.isDifference ? differenceWidth(edge) : widthOf(edge.people, most)
    const look = { colour: colourOf(edge, most, how), width: Math.round(width * 2) / 2, isDashed: edge.way === 'skip' }
    const key = `${look.colour} ${look.width} ${look.isDashed}`
    let stroke = groups.get(key)
    if (!stroke) groups.set(key, stroke = { ...look, path: new Path2D(), heads: new Path2D() })
    const { from, one, two, to } = curve
    stroke.path.moveTo(from.x, from.y)
    stroke.path.bezierCurveTo(one.x, one.y, two.x, two.y, to.x, to.y)
    addHead(stroke.heads, curve, 4 + look.width * 0.7)
  }
  return [...groups.values()]
}

function colourOf(
  edge: MapEdge, most: number, { colours, lit, isDifference }: { readonly colours: Colours; readonly lit: ReadonlySet<string>; readonly isDifference: boolean },
): string {
  const isDim = lit.size > 0 && !lit.has(edge.id)
  if (isDifference) {
    if (!edge.difference) return fade(colours.faint, 0.12)
    const colour = edge.difference.difference > 0 ? colours['more-one'] : colours['more-other']
    return fade(colour, isDim ? 0.1 : edge.difference.is_real ? 0.92 : 0.28)
  }
  const colour = lit.has(edge.id) ? colours.accent : edge.way === 'back' ? colours.warn : edge.way === 'repeat' ? colours['series-4'] : colours.muted
  // Rounded, so that few different looks remain: each is one drawing.
  const strength = Math.round((0.22 + 0.5 * Math.sqrt(edge.people / most)) * 8) / 8
  return fade(colour, isDim ? 0.08 : lit.has(edge.id) ? 0.95 : strength)
}

function differenceWidth(edge: MapEdge): number {
  return edge.difference ? Math.min(8, 1 + Math.abs(edge.difference.difference) * 40) : 1
}

function addHead(path: Path2D, curve: Curve, size: number): void {
  const before = pointAt(curve, 0.94)
  const angle = Math.atan2(curve.to.y - before.y, curve.to.x - before.x)
  path.moveTo(curve.to.x, curve.to.y)
  for (const turn of [2.65, -2.65]) path.lineTo(curve.to.x + size * Math.cos(angle + turn), curve.to.y + size * Math.sin(angle + turn))
  path.closePath()
}

function drawStrokes(context: CanvasRenderingContext2D, strokes: readonly Stroke[]): void {
  for (const stroke of strokes) {
    context.lineWidth = stroke.width
    context.strokeStyle = context.fillStyle = stroke.colour
    context.setLineDash(stroke.isDashed ? [7, 5] : [])
    context.stroke(stroke.path)
    context.fill(stroke.heads)
  }
  context.setLineDash([])
}

interface Label {
  readonly x: number
  readonly y: number
  readonly text: string
}

function numbersOf(
  edges: readonly MapEdge[], curves: ReadonlyMap<string, Curve>, lit: ReadonlySet<string>, isDifference: boolean,
): readonly Label[] {
  const told = lit.size > 0
    ? edges.filter((edge) => lit.has(edge.id))
    : isDifference
      ? edges.filter((edge) => edge.difference?.is_real)
      : edges.toSorted((a, b) => b.people - a.people).slice(0, N_NUMBERS)
  return told.flatMap((edge) => {
    const curve = curves.get(edge.id)
    if (!curve) return []
    const { x, y } = pointAt(curve, 0.5)
    const text = isDifference
      ? points(edge.difference?.difference)
      : `${shortCount(edge.people)} · ${share(edge.share, 0)}`
    return [{ x, y, text }]
  })
}

function drawNumbers(context: CanvasRenderingContext2D, numbers: readonly Label[], colours: Colours): void {
  const taken: { readonly x: number; readonly y: number }[] = []
  context.font = "500 10.5px 'Inter Variable', sans-serif"
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  for (const { x, y, text } of numbers) {
    // Of two that would lie on one another, the busier move's stays.
    if (taken.some((other) => Math.abs(other.x - x) < APART.x && Math.abs(other.y - y) < APART.y)) continue
    taken.push({ x, y })
    const width = context.measureText(text).width + 10
    context.fillStyle = colours.bg
    context.globalAlpha = 0.88
    context.beginPath()
    context.roundRect(x - width / 2, y - 8, width, 16, 8)
    context.fill()
    context.globalAlpha = 1
    context.fillStyle = colours.muted
    context.fillText(text, x, y + 0.5)
  }
}

interface Dot {
  readonly curve: Curve
  readonly startsAt: number
}

interface Dots {
  current: Dot[]
  ask: () => void
}

/** Dots for what came since the last numbers; none where somebody wants less motion. */
function useDots(edges: readonly MapEdge[], curves: ReadonlyMap<string, Curve>): Dots {
  const dots = useRef<Dots>({ current: [], ask: () => undefined })
  const before = useRef<ReadonlyMap<string, number>>(new Map())
  useEffect(() => {
    const counts = new Map(edges.map((edge) => [edge.id, edge.count]))
    const isQuiet = before.current.size === 0 || matchMedia('(prefers-reduced-motion: reduce)').matches
    const now = performance.now()
    if (!isQuiet) {
      for (const edge of edges) {
        const n = Math.min(edge.count - (before.current.get(edge.id) ?? edge.count), 4)
        const curve = curves.get(edge.id)
        for (let i = 0; curve && i < n && dots.current.current.length < MAX_DOTS; i += 1) {
          dots.current.current.push({ curve, startsAt: now + i * 160 + Math.random() * 120 })
        }
      }
      dots.current.ask()
    }
    before.current = counts
  }, [edges, curves])
  return dots.current
}

/** Draw those that are on their way; return whether any is. */
function drawDots(context: CanvasRenderingContext2D, dots: Dot[], colours: Colours): boolean {
  const now = performance.now()
  context.fillStyle = colours.accent
  for (let i = dots.length - 1; i >= 0; i -= 1) {
    const dot = dots[i] as Dot
    const t = (now - dot.startsAt) / DOT_MS
    if (t >= 1) dots.splice(i, 1)
    if (t < 0 || t >= 1) continue
    const { x, y } = pointAt(dot.curve, t)
    context.globalAlpha = Math.sin(Math.PI * t)
    context.beginPath()
    context.arc(x, y, 3.6, 0, 2 * Math.PI)
    context.fill()
  }
  context.globalAlpha = 1
  return dots.length > 0
}
