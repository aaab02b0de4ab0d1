/** The same funnel by segment: who got through with intervals, and every step in a table. */

import { useCallback, useMemo } from 'react'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import type { Colours } from '../../parts/chart/colours'
import { count, interval, share } from '../../parts/format'
import { Stacked } from '../../parts/Stacked'
import { Table, type Column } from '../../parts/Table'
import { FUNNELS } from '../../text/funnels'
import { SHARED } from '../../text/shared'
import { heightOf, intervalsOption, type Intervals } from '../shared/intervals'
import type { FunnelAnswer } from './answers'
import css from './funnels.module.css'
import { segmentsOf, type Segment } from './reading'

export function SegmentsCard({ answer, attribute }: { readonly answer: FunnelAnswer; readonly attribute: string }) {
  const segments = useMemo(() => segmentsOf(answer, attribute, SHARED.other, SHARED.without), [answer, attribute])
  const option = useCallback((colours: Colours) => intervalsOption(through(segments, colours), colours), [segments])
  const title = FUNNELS.segments(attribute)
  const rows = segments.map((segment) => {
    const last = segment.steps.at(-1)
    return [segment.name, segment.steps[0]?.count, last?.count, last?.from_start, last?.from_start_low, last?.from_start_high]
  })
  return (
    <Card title={title} note={FUNNELS.segmentsNote} isFlush>
      <div className={css.inset}>
        <Chart
          label={FUNNELS.segmentShape(attribute)} option={option} csvName={`funnel-by-${attribute}`}
          height={heightOf({ categories: segments.map((segment) => segment.name), series: [{ name: '', colour: '', points: [] }] })}
          table={{ columns: [FUNNELS.segment, FUNNELS.began, FUNNELS.got, FUNNELS.through, 'low', 'high'], rows }}
        />
      </div>
      <Table label={title} rows={segments} rowKey={(row) => row.name} columns={columns(answer)} csvName={`funnel-steps-by-${attribute}`} />
    </Card>
  )
}

function through(segments: readonly Segment[], colours: Colours): Intervals {
  return {
    categories: segments.map((segment) => segment.name),
    series: [{
      name: FUNNELS.through, colour: colours['series-1'], isMain: true,
      points: segments.map((segment) => {
        const last = segment.steps.at(-1)
        return last ? { estimate: last.from_start, low: last.from_start_low, high: last.from_start_high } : null
      }),
    }],
    write: share,
    axis: FUNNELS.segmentAxis,
  }
}

function columns(answer: FunnelAnswer): readonly Column<Segment>[] {
  return [
    { key: 'segment', title: FUNNELS.segment, value: (row) => row.name },
    ...answer.steps.map((step, i): Column<Segment> => ({
      key: String(i), title: step.step, isNumber: true, value: (row) => row.steps[i]?.count,
      cell: (row) => (
        <Stacked notes={[i > 0 && row.steps[i] && `${share(row.steps[i].from_start)} (${interval(row.steps[i].from_start_low, row.steps[i].from_start_high)})`]}>
          {count(row.steps[i]?.count)}
        </Stacked>
      ),
    })),
  ]
}
