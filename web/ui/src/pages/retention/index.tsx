/** Retention: who comes back, as a curve with its interval and as cohorts by periods. */

import { useQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import { ApiError } from '../../api/errors'
import { ask } from '../../api/questions'
import { Answer } from '../../parts/Answer'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import type { Colours } from '../../parts/chart/colours'
import { Empty } from '../../parts/Empty'
import { Figure, Figures } from '../../parts/Figure'
import { FilterBar, Select, TextField } from '../../parts/Filters'
import { count, interval, share } from '../../parts/format'
import { Page } from '../../parts/Page'
import { oneOf, useAddress } from '../../parts/url'
import { RETENTION } from '../../text/retention'
import { SHARED } from '../../text/shared'
import { CsvButton } from '../shared/CsvButton'
import { Definition } from '../shared/Definition'
import { NotToConclude } from '../shared/NotToConclude'
import { PATIENT } from '../shared/patience'
import { useSteps } from '../shared/useSteps'
import type { RetentionAnswer } from './answers'
import { curveOption } from './curve'
import { Heat } from './Heat'
import css from './retention.module.css'
import { cohortsOf, curveOf, retentionSheet, type Point } from './reading'

const PERIODS = ['day', 'week', 'month', 'hour'] as const
const COUNTINGS = ['classic', 'rolling'] as const
const LENGTHS: Readonly<Record<(typeof PERIODS)[number], number>> = { hour: 24, day: 14, week: 12, month: 12 }
const FRESH_MS = 60_000
/** A cohort of each hour of a week is no table anybody reads. */
const MOST_COHORTS = 40

export default function RetentionPage() {
  const address = useAddress()
  const { steps } = useSteps()
  const period = oneOf(address.get('period'), PERIODS)
  const counting = oneOf(address.get('counting'), COUNTINGS)
  const [first, returning, by] = [address.get('first'), address.get('returning'), address.get('by')]
  const query = { first, returning, counting, period, by, periods: LENGTHS[period] }
  const retention = useQuery({
    queryKey: ['retention', query],
    queryFn: ({ signal }) => ask<RetentionAnswer>('retention', query, signal),
    staleTime: FRESH_MS,
    ...PATIENT,
    placeholderData: (before) => before,
  })
  const isEmpty = retention.error instanceof ApiError && retention.error.status === 404
  return (
    <Page
      title={RETENTION.title} note={RETENTION.about} filters={<Asking steps={steps} period={period} counting={counting} />}
      actions={retention.data && <CsvButton name="retention" sheet={retentionSheet(retention.data)} />}
    >
      {isEmpty
        ? <Empty icon="retention" title={RETENTION.emptyTitle}>{RETENTION.empty}</Empty>
        : <Answer query={retention}>{(answer) => <Told answer={answer} />}</Answer>}
    </Page>
  )
}

function Asking({ steps, period, counting }: { readonly steps: readonly string[]; readonly period: string; readonly counting: string }) {
  const address = useAddress()
  const set = (name: string) => (value: string) => address.set({ [name]: value })
  return (
    <FilterBar>
      <TextField label={RETENTION.first} value={address.get('first')} placeholder={RETENTION.firstHint} choices={steps} onChange={set('first')} width={170} />
      <TextField label={RETENTION.returning} value={address.get('returning')} placeholder={RETENTION.returningHint} choices={steps} onChange={set('returning')} width={170} />
      <Select label={RETENTION.period} value={period} choices={PERIODS.map((value) => ({ value, label: RETENTION.periods[value] }))} onChange={set('period')} />
      <Select label={RETENTION.counting} value={counting} choices={COUNTINGS.map((value) => ({ value, label: RETENTION.countings[value] }))} onChange={set('counting')} />
      <TextField label={RETENTION.by} value={address.get('by')} placeholder={RETENTION.byHint} onChange={set('by')} width={120} />
    </FilterBar>
  )
}

function Told({ answer }: { readonly answer: RetentionAnswer }) {
  const curve = curveOf(answer)
  const cohorts = cohortsOf(answer, SHARED.other, SHARED.without)
  const { period, n_followed, n_without_first } = answer.definition
  const told = curve.filter((point) => point.isWhole || point.status === 'partly').slice(1)
  return (
    <>
      <Figures>
        <Figure label={RETENTION.followed} value={count(n_followed)} note={n_without_first > 0 ? RETENTION.notFollowed(n_without_first) : undefined} />
        {told.slice(0, 3).map((point) => (
          <Figure key={point.n} label={RETENTION.back(`${period} ${point.n}`)} value={share(point.share)} interval={interval(point.low, point.high)} note={RETENTION.cell(point.count, point.of)} />
        ))}
      </Figures>
      {curve.length > 1 ? <Curve points={curve} period={period} /> : <Card title={RETENTION.curve}><p>{RETENTION.none}</p></Card>}
      <Card title={RETENTION.table} note={RETENTION.tableNote} isFlush>
        <div className={css.scroll} tabIndex={0} role="group" aria-label={RETENTION.table}><Heat cohorts={cohorts} period={period} most={MOST_COHORTS} /></div>
      </Card>
      <NotToConclude cautions={RETENTION.notToConclude} />
      <Definition definition={answer.definition} />
    </>
  )
}

function Curve({ points, period }: { readonly points: readonly Point[]; readonly period: string }) {
  const option = useCallback((colours: Colours) => curveOption(points, period, colours), [points, period])
  return (
    <Card title={RETENTION.curve} note={RETENTION.curveNote}>
      <Chart
        label={RETENTION.curveShape} option={option} height={260} csvName="retention-curve"
        table={{
          columns: [period, RETENTION.shareAxis, 'low', 'high', 'count', 'of'],
          rows: points.map((point) => [point.n, point.share, point.low, point.high, point.count, point.of]),
        }}
      />
    </Card>
  )
}
