/** One metric: what was found in a sentence, the numbers behind it, how its interval came to be, and segments. */

import { useCallback } from 'react'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import type { Colours } from '../../parts/chart/colours'
import { count, share } from '../../parts/format'
import { Stacked } from '../../parts/Stacked'
import { Table, type Column } from '../../parts/Table'
import { COMMON } from '../../text/common'
import { DECISIONS, EXPERIMENTS } from '../../text/experiments'
import { heightOf, intervalsOption } from '../shared/intervals'
import { bounds, chance, signed } from '../shared/numbers'
import type { Compared, Segmented } from './answers'
import { pathOption, segmentIntervals } from './charts'
import css from './experiments.module.css'
import { toneOf, unitOf, type MetricRows } from './reading'

export function Metric({ metric }: { readonly metric: MetricRows }) {
  return (
    <Card title={EXPERIMENTS.metric(metric.metric, metric.kind)} note={metric.isUpGood ? undefined : EXPERIMENTS.downIsGood} isFlush>
      <ul className={css.found}>
        {metric.comparisons.map((one) => (
          <li key={one.variant}>
            <Badge tone={toneOf(one.decision)} hasDot>{DECISIONS[one.decision]}</Badge>
            <p>
              {one.says}
              {one.waiting > 0 && <span className={css.muted}> {EXPERIMENTS.waitingText(one.waiting)}.</span>}
              {one.variance_kept < 0.99 && <span className={css.muted}> {EXPERIMENTS.narrower(one.variance_kept)}</span>}
            </p>
            {one.notes.map((note) => <p key={note} className={css.muted}>{note}</p>)}
          </li>
        ))}
      </ul>
      <Table label={metric.metric} rows={metric.comparisons} rowKey={(row) => row.variant} columns={columns(metric.kind)} csvName={metric.metric} />
      <div className={css.inside}>
        {metric.comparisons.map((one) => (one.looks.length > 1 ? <Path key={one.variant} one={one} /> : null))}
        {metric.comparisons.flatMap((one) => one.segments.map((each) => <Segment key={`${one.variant} ${each.attribute}`} one={one} segmented={each} />))}
      </div>
    </Card>
  )
}

function columns(kind: string): readonly Column<Compared>[] {
  const { comparison: names } = EXPERIMENTS
  const unit = unitOf(kind)
  return [
    { key: 'variant', title: names.variant, value: (row) => row.variant },
    { key: 'people', title: names.people, isNumber: true, value: (row) => row.people[0], cell: (row) => row.people.map(count).join(' / ') },
    { key: 'means', title: names.means, isNumber: true, value: (row) => row.means[0], cell: (row) => row.means.map(unit.mean).join(' / ') },
    {
      key: 'difference', title: names.difference, isNumber: true, value: (row) => row.effect.estimate,
      cell: (row) => <WithBounds says={unit.difference(row.effect.estimate)} between={bounds(row.effect.low, row.effect.high, (x) => unit.difference(x))} />,
    },
    {
      key: 'relative', title: names.relative, isNumber: true, value: (row) => row.relative.estimate,
      cell: (row) => <WithBounds says={signed(row.relative.estimate, share)} between={bounds(row.relative.low, row.relative.high, (x) => signed(x, share))} />,
    },
    { key: 'q', title: names.q, isNumber: true, about: EXPERIMENTS.qAbout, value: (row) => row.q, cell: (row) => chance(row.q) },
    { key: 'decision', title: names.decision, value: (row) => DECISIONS[row.decision], cell: (row) => <Badge tone={toneOf(row.decision)} hasDot>{DECISIONS[row.decision]}</Badge> },
  ]
}

function WithBounds({ says, between }: { readonly says: string; readonly between: string }) {
  return <Stacked notes={[between !== COMMON.nothing && between]}><strong>{says}</strong></Stacked>
}

function Path({ one }: { readonly one: Compared }) {
  const option = useCallback((colours: Colours) => pathOption(one, colours), [one])
  return (
    <section>
      <h3>{EXPERIMENTS.path}: {one.variant}</h3>
      <p className={css.muted}>{EXPERIMENTS.pathNote}</p>
      <Chart
        label={EXPERIMENTS.pathShape(one.metric, one.variant)} option={option} height={220} csvName={`${one.metric}-looks`}
        table={{
          columns: [EXPERIMENTS.pathAxis, EXPERIMENTS.segmentColumns.difference, 'low', 'high'],
          rows: one.looks.map((look) => [look.people, look.estimate, look.low, look.high]),
        }}
      />
    </section>
  )
}

function Segment({ one, segmented }: { readonly one: Compared; readonly segmented: Segmented }) {
  const option = useCallback(
    (colours: Colours) => intervalsOption(segmentIntervals(segmented, one.kind, colours), colours), [segmented, one],
  )
  const { segmentColumns: names } = EXPERIMENTS
  return (
    <section>
      <h3>
        {EXPERIMENTS.segments(segmented.attribute)}: {one.variant}{' '}
        {!segmented.refused && <Badge tone={segmented.differs ? 'info' : 'plain'}>{segmented.differs ? EXPERIMENTS.segmentsDiffer : EXPERIMENTS.segmentsSame} (q {chance(segmented.q)})</Badge>}
      </h3>
      <p className={css.muted}>{segmented.refused || EXPERIMENTS.segmentsNote}</p>
      {!segmented.refused && (
        <Chart
          label={EXPERIMENTS.segmentShape(segmented.attribute)} option={option} csvName={`${one.metric}-by-${segmented.attribute}`}
          height={heightOf({ categories: segmented.effects.map((each) => each.value), series: [{ name: '', colour: '', points: [] }] })}
          table={{
            columns: [names.value, names.people, names.difference, 'low', 'high'],
            rows: segmented.effects.map((each) => [each.value, each.people, each.effect.estimate, each.effect.low, each.effect.high]),
          }}
        />
      )}
    </section>
  )
}
