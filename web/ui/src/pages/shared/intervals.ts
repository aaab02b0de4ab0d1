/** Estimates with their intervals, drawn side by side: a dot, and a line for all that is possible. */

import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts'
import type { EChartsCoreOption } from 'echarts/core'
import { fade, type Colours } from '../../parts/chart/colours'
import { bounds } from './numbers'

export interface Estimate {
  readonly estimate: number | null
  readonly low: number | null
  readonly high: number | null
}

export interface IntervalSeries {
  readonly name: string
  readonly colour: string
  /** What is told first: its dot is larger and its line thicker. */
  readonly isMain?: boolean
  /** One for each category; null where it says nothing of it. */
  readonly points: readonly (Estimate | null)[]
  /** Of each point, where points of one series differ. */
  readonly colours?: readonly string[]
}

export interface Intervals {
  readonly categories: readonly string[]
  readonly series: readonly IntervalSeries[]
  readonly write: (x: number) => string
  readonly axis: string
  /** Draw a line at nothing: no difference. */
  readonly hasZero?: boolean
}

const PER_SERIES = 15
const PER_CATEGORY = 14
const AROUND = 52

/** How high a chart of these is, so that no two lines touch. */
export function heightOf({ categories, series }: Pick<Intervals, 'categories' | 'series'>): number {
  return AROUND + (series.length > 1 ? 24 : 0) + categories.length * (series.length * PER_SERIES + PER_CATEGORY)
}

export function intervalsOption(asked: Intervals, colours: Colours): EChartsCoreOption {
  const { categories, series, write } = asked
  const [low, high] = reach(asked)
  return {
    grid: { left: 8, right: 24, top: series.length > 1 ? 34 : 8, bottom: 26, containLabel: true },
    legend: series.length > 1 ? { top: 0, left: 0, data: series.map((one) => one.name), selectedMode: false } : undefined,
    tooltip: {
      trigger: 'item',
      formatter: (part: { readonly seriesIndex: number; readonly dataIndex: number }) => tip(asked, part),
    },
    xAxis: {
      type: 'value', name: asked.axis, nameLocation: 'middle', nameGap: 28, min: low, max: high,
      // The ends of the axis are no round numbers.
      axisLabel: { formatter: (x: number) => write(x), hideOverlap: true, showMaxLabel: false, showMinLabel: low === 0 },
    },
    yAxis: {
      type: 'category', inverse: true, data: categories, splitLine: { show: categories.length > 1, lineStyle: { color: colours.border } },
      axisLabel: { color: colours.text, fontSize: 12, width: 340, overflow: 'truncate' },
    },
    series: series.map((one, i) => ({
      name: one.name,
      type: 'custom',
      itemStyle: { color: one.colour },
      encode: { x: [1, 2, 3], y: 0 },
      clip: true,
      renderItem: draw(one, i, series.length, [low, high]),
      data: one.points.map((point, at) => [at, point?.estimate ?? null, point?.low ?? null, point?.high ?? null]),
      ...(i === 0 && asked.hasZero
        ? { markLine: { silent: true, symbol: 'none', label: { show: false }, lineStyle: { color: colours.muted, type: 'solid', width: 1 }, data: [{ xAxis: 0 }] } }
        : {}),
    })),
  }
}

/** From where to where the axis goes: all estimates and the ends that intervals have, with a little room. */
export function reach({ series, hasZero }: Pick<Intervals, 'series' | 'hasZero'>): readonly [number, number] {
  const values = series.flatMap((one) => one.points.flatMap((point) => [point?.estimate, point?.low, point?.high]))
  const known = values.filter((value): value is number => value !== null && value !== undefined && Number.isFinite(value))
  const low = Math.min(0, ...known)
  const high = Math.max(hasZero ? 0 : low, ...known)
  const room = (high - low || 1) * 0.04
  return [low < 0 ? low - room : 0, high > 0 ? high + room : hasZero ? room : 1]
}

function draw(one: IntervalSeries, at: number, of: number, [least, most]: readonly [number, number]) {
  return (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
    const row = api.value(0) as number
    const point = one.points[row]
    if (!point || point.estimate === null) return undefined
    const across = (x: number) => api.coord([x, row])
    const [x = 0, middle = 0] = across(point.estimate)
    const y = middle + (at - (of - 1) / 2) * PER_SERIES
    const [left = 0] = across(point.low ?? least)
    const [right = 0] = across(point.high ?? most)
    const colour = one.colours?.[row] ?? one.colour
    const isKnown = point.low !== null || point.high !== null
    return {
      type: 'group' as const,
      children: [
        ...(isKnown
          ? [{
              type: 'line' as const, shape: { x1: left, y1: y, x2: right, y2: y },
              style: { stroke: one.isMain ? colour : fade(colour, 0.55), lineWidth: one.isMain ? 3.5 : 2.5, lineCap: 'round' as const },
            }]
          : []),
        { type: 'circle' as const, shape: { cx: x, cy: y, r: one.isMain ? 5.5 : 4 }, style: { fill: colour } },
      ],
    }
  }
}

function tip({ categories, series, write }: Intervals, part: { readonly seriesIndex: number; readonly dataIndex: number }): string {
  const one = series[part.seriesIndex]
  const point = one?.points[part.dataIndex]
  if (!one || !point || point.estimate === null) return ''
  return `${categories[part.dataIndex]}: ${one.name}\n${write(point.estimate)}   (${bounds(point.low, point.high, write)})`
}
