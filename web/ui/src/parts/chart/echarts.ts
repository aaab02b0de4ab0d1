/** ECharts with exactly what the studio draws; loaded by the first chart that is shown. */

import { BarChart, CustomChart, FunnelChart, HeatmapChart, LineChart, SankeyChart, ScatterChart } from 'echarts/charts'
import {
  AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent,
  VisualMapComponent,
} from 'echarts/components'
import { init, registerTheme, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import type { Colours } from './colours'

use([
  BarChart, CustomChart, FunnelChart, HeatmapChart, LineChart, SankeyChart, ScatterChart, AriaComponent, DatasetComponent,
  GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, CanvasRenderer,
])

export { init }

const FONT = "'Inter Variable', system-ui, sans-serif"

/** Bring the page's colours into charts that are made from now on; returns the theme's name. */
export function useColours(colours: Colours): string {
  const axis = {
    axisLine: { lineStyle: { color: colours.border } },
    axisTick: { show: false },
    axisLabel: { color: colours.muted, fontSize: 11, fontFamily: FONT },
    splitLine: { lineStyle: { color: colours.border } },
    nameTextStyle: { color: colours.muted, fontSize: 11, fontFamily: FONT },
  }
  registerTheme('studio', {
    color: seriesOf(colours),
    backgroundColor: 'transparent',
    textStyle: { fontFamily: FONT, color: colours.text },
    legend: { textStyle: { color: colours.muted, fontSize: 12, fontFamily: FONT }, icon: 'roundRect', itemWidth: 10, itemHeight: 10 },
    tooltip: {
      // An HTML tooltip is written with style attributes, which the content security policy forbids.
      renderMode: 'richText',
      backgroundColor: colours.raised,
      borderColor: colours['border-strong'],
      textStyle: { color: colours.text, fontSize: 12, fontFamily: FONT },
      confine: true,
    },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: { ...axis, axisLine: { show: false } },
    timeAxis: { ...axis, splitLine: { show: false } },
    logAxis: axis,
  })
  return 'studio'
}

function seriesOf(colours: Colours): readonly string[] {
  return [1, 2, 3, 4, 5, 6, 7, 8].map((n) => colours[`series-${n}` as keyof Colours])
}
