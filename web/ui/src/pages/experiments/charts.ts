/** The drawings of an experiment: effects side by side, and how an interval came to be. */

import type { EChartsCoreOption } from 'echarts/core'
import { fade, type Colours } from '../../parts/chart/colours'
import { count, share } from '../../parts/format'
import { EXPERIMENTS } from '../../text/experiments'
import type { Intervals } from '../shared/intervals'
import { bounds, signed } from '../shared/numbers'
import type { Compared, Report, Segmented } from './answers'
import { toneOf, unitOf, type Unit } from './reading'

/** All comparisons as relative effects, in the colour of their decision. */
export function effectIntervals(report: Report, colours: Colours): Intervals {
  return {
    categories: report.comparisons.map((one) => `${one.metric}, ${one.variant}`),
    series: [{
      name: EXPERIMENTS.effectsAxis,
      colour: colours['series-1'],
      isMain: true,
      points: report.comparisons.map((one) => one.relative),
      colours: report.comparisons.map((one) => colourOf(one, colours)),
    }],
    write: (x) => signed(x, share),
    axis: EXPERIMENTS.effectsAxis,
    hasZero: true,
  }
}

function colourOf(one: Compared, colours: Colours): string {
  const tone = toneOf(one.decision)
  return tone === 'plain' ? colours['series-8'] : colours[tone]
}

export function segmentIntervals(segmented: Segmented, kind: string, colours: Colours): Intervals {
  return {
    categories: segmented.effects.map((each) => each.value),
    series: [{
      name: EXPERIMENTS.segmentColumns.difference, colour: colours['series-1'], isMain: true,
      points: segmented.effects.map((each) => each.effect),
    }],
    write: (x) => unitOf(kind).difference(x),
    axis: EXPERIMENTS.segmentColumns.difference,
    hasZero: true,
  }
}

/** The difference and its interval, look by look, by how many people were in. */
export function pathOption(one: Compared, colours: Colours): EChartsCoreOption {
  const unit = unitOf(one.kind)
  const looks = one.looks.filter((look) => look.estimate !== null && look.low !== null && look.high !== null)
  const colour = colours['series-1']
  const line = { type: 'line', symbol: 'none', emphasis: { disabled: true } }
  return {
    grid: { left: 8, right: 24, top: 12, bottom: 24, containLabel: true },
    tooltip: {
      trigger: 'axis',
      formatter: (parts: readonly { readonly dataIndex: number }[]) => tip(looks[parts[0]?.dataIndex ?? -1], unit),
    },
    xAxis: { type: 'value', min: 'dataMin', max: 'dataMax', name: EXPERIMENTS.pathAxis, nameLocation: 'middle', nameGap: 26, axisLabel: { formatter: count, hideOverlap: true } },
    yAxis: { type: 'value', axisLabel: { formatter: (x: number) => unit.difference(x) } },
    series: [
      // The band is drawn as what lies between its ends, so both are stacked on the lower one.
      { ...line, name: 'low', stack: 'band', stackStrategy: 'all', lineStyle: { opacity: 0 }, data: looks.map((look) => [look.people, look.low]) },
      {
        ...line, name: 'high', stack: 'band', stackStrategy: 'all', lineStyle: { opacity: 0 }, areaStyle: { color: fade(colour, 0.18) },
        data: looks.map((look) => [look.people, (look.high ?? 0) - (look.low ?? 0)]),
      },
      {
        ...line, name: EXPERIMENTS.segmentColumns.difference, lineStyle: { width: 2 }, itemStyle: { color: colour },
        data: looks.map((look) => [look.people, look.estimate]),
        markLine: { silent: true, symbol: 'none', label: { show: false }, lineStyle: { color: colours.muted, type: 'solid', width: 1 }, data: [{ yAxis: 0 }] },
      },
    ],
  }
}

function tip(look: Compared['looks'][number] | undefined, unit: Unit): string {
  if (!look) return ''
  return `${count(look.people)} ${EXPERIMENTS.pathAxis.toLowerCase()}\n${unit.difference(look.estimate)}   (${bounds(look.low, look.high, (x) => unit.difference(x))})`
}
