/** The retention curve, with its interval as a band. */

import type { EChartsCoreOption } from 'echarts/core'
import { fade, type Colours } from '../../parts/chart/colours'
import { interval, share } from '../../parts/format'
import { RETENTION } from '../../text/retention'
import type { Point } from './reading'

export function curveOption(points: readonly Point[], period: string, colours: Colours): EChartsCoreOption {
  const colour = colours['series-1']
  const line = { type: 'line', symbol: 'none', emphasis: { disabled: true } }
  return {
    grid: { left: 8, right: 20, top: 12, bottom: 24, containLabel: true },
    tooltip: { trigger: 'axis', formatter: (parts: readonly { readonly dataIndex: number }[]) => tip(points[parts[0]?.dataIndex ?? -1], period) },
    xAxis: { type: 'category', boundaryGap: false, data: points.map((point) => point.n), name: RETENTION.axis(period), nameLocation: 'middle', nameGap: 26 },
    yAxis: { type: 'value', min: 0, max: (range: { readonly max: number }) => Math.min(1, range.max), axisLabel: { formatter: (x: number) => share(x, 0) } },
    series: [
      // The band is what lies between its ends: the second is stacked on the first.
      { ...line, stack: 'band', lineStyle: { opacity: 0 }, data: points.map((point) => point.low ?? point.share) },
      {
        ...line, stack: 'band', lineStyle: { opacity: 0 }, areaStyle: { color: fade(colour, 0.18) },
        data: points.map((point) => (point.high ?? point.share ?? 0) - (point.low ?? point.share ?? 0)),
      },
      {
        type: 'line', symbolSize: 8, lineStyle: { width: 2, color: colour }, itemStyle: { color: colour },
        symbol: 'circle',
        data: points.map((point) => ({ value: point.share, itemStyle: point.isWhole ? {} : { color: colours.panel, borderColor: colour, borderWidth: 2 } })),
      },
    ],
  }
}

function tip(point: Point | undefined, period: string): string {
  if (!point) return ''
  const status = RETENTION.status[point.status]
  const between = interval(point.low, point.high)
  return `${period} ${point.n}: ${share(point.share)}${between ? `   (${between})` : ''}\n${RETENTION.cell(point.count, point.of)}${status ? `, ${status}` : ''}`
}
