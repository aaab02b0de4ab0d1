/** How long it takes to get through: a curve that counts those who are still on their way. */

import { useCallback } from 'react'
import type { EChartsCoreOption } from 'echarts/core'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import { fade, type Colours } from '../../parts/chart/colours'
import { duration, interval, share } from '../../parts/format'
import { Stacked } from '../../parts/Stacked'
import { Table } from '../../parts/Table'
import { FUNNELS } from '../../text/funnels'
import { bounds } from '../shared/numbers'
import type { FunnelAnswer } from './answers'
import css from './funnels.module.css'

type Told = NonNullable<FunnelAnswer['time_to_convert']>

export function TimeCard({ time }: { readonly time: Told }) {
  const option = useCallback((colours: Colours) => curveOption(time, colours), [time])
  return (
    <Card title={FUNNELS.time} note={FUNNELS.timeNote} isFlush>
      <div className={css.inset}>
        <Chart
          label={FUNNELS.timeShape} option={option} height={240} csvName="time-to-convert"
          table={{
            columns: [`${FUNNELS.timeAxis} (ms)`, FUNNELS.through, 'low', 'high'],
            rows: time.curve.map((point) => [point.after_ms, point.converted, point.low, point.high]),
          }}
        />
      </div>
      <Table
        label={FUNNELS.time} rows={time.quantiles} rowKey={(row) => String(row.share)} csvName="time-to-convert-quantiles"
        columns={[
          { key: 'share', title: FUNNELS.quantile, value: (row) => row.share, cell: (row) => share(row.share) },
          {
            key: 'all', title: FUNNELS.all, isNumber: true, value: (row) => row.all_ms,
            cell: (row) => (row.all_ms === null ? FUNNELS.notYet : <Stacked notes={[bounds(row.all_low_ms, row.all_high_ms, duration)]}>{duration(row.all_ms)}</Stacked>),
          },
          { key: 'converters', title: FUNNELS.converters, isNumber: true, value: (row) => row.converters_ms, cell: (row) => duration(row.converters_ms) },
        ]}
      />
    </Card>
  )
}

function curveOption({ curve }: Told, colours: Colours): EChartsCoreOption {
  const colour = colours['series-1']
  const line = { type: 'line', step: 'end', symbol: 'none', emphasis: { disabled: true } }
  return {
    grid: { left: 8, right: 20, top: 12, bottom: 24, containLabel: true },
    tooltip: {
      trigger: 'axis',
      formatter: (parts: readonly { readonly dataIndex: number }[]) => {
        const point = curve[parts[0]?.dataIndex ?? -1]
        return point ? `${duration(point.after_ms)}: ${share(point.converted)}   (${interval(point.low, point.high)})` : ''
      },
    },
    xAxis: { type: 'value', min: 0, max: 'dataMax', name: FUNNELS.timeAxis, nameLocation: 'middle', nameGap: 26, axisLabel: { formatter: (ms: number) => duration(ms), hideOverlap: true, showMaxLabel: false } },
    yAxis: { type: 'value', min: 0, axisLabel: { formatter: (x: number) => share(x, 0) } },
    series: [
      // The band is what lies between its ends: the second is stacked on the first.
      { ...line, stack: 'band', lineStyle: { opacity: 0 }, data: curve.map((point) => [point.after_ms, point.low]) },
      { ...line, stack: 'band', lineStyle: { opacity: 0 }, areaStyle: { color: fade(colour, 0.18) }, data: curve.map((point) => [point.after_ms, point.high - point.low]) },
      { ...line, lineStyle: { width: 2 }, itemStyle: { color: colour }, data: curve.map((point) => [point.after_ms, point.converted]) },
    ],
  }
}
