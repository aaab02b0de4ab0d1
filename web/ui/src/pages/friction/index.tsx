/** Friction: where people struggle, ranked by what it costs. */

import { useQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import { ApiError } from '../../api/errors'
import { ask } from '../../api/questions'
import { Answer } from '../../parts/Answer'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import type { Colours } from '../../parts/chart/colours'
import { Empty } from '../../parts/Empty'
import { FilterBar, Select, TextField } from '../../parts/Filters'
import { Page } from '../../parts/Page'
import { Spinner } from '../../parts/Waiting'
import { oneOf, useAddress } from '../../parts/url'
import { FRICTION } from '../../text/friction'
import { CsvButton } from '../shared/CsvButton'
import { Definition } from '../shared/Definition'
import { likelyGoal } from '../shared/goals'
import { heightOf, intervalsOption, type Intervals } from '../shared/intervals'
import { NotToConclude } from '../shared/NotToConclude'
import { PATIENT } from '../shared/patience'
import { signed } from '../shared/numbers'
import { useSteps } from '../shared/useSteps'
import type { Finding, FrictionAnswer } from './answers'
import { Findings } from './Findings'
import css from './friction.module.css'
import { frictionSheet, isClear, segmentOf, split, titleOf } from './reading'

const UNITS = ['session', 'person'] as const
/** Of more than these a chart is a wall. */
const MOST_DRAWN = 12
const FRESH_MS = 60_000

export default function FrictionPage() {
  const address = useAddress()
  const { steps, isKnown } = useSteps()
  const goal = address.get('goal') || likelyGoal(steps)
  const by = oneOf(address.get('by'), UNITS)
  const friction = useQuery({
    queryKey: ['friction', goal, by],
    queryFn: ({ signal }) => ask<FrictionAnswer>('friction', { goal, by, limit: 40 }, signal),
    enabled: isKnown && steps.length > 0,
    staleTime: FRESH_MS,
    ...PATIENT,
  })
  const isEmpty = (isKnown && steps.length === 0) || (friction.error instanceof ApiError && friction.error.status === 404)
  return (
    <Page
      title={FRICTION.title} note={FRICTION.about}
      actions={friction.data && <CsvButton name="friction" sheet={frictionSheet(friction.data)} />}
      filters={
        <FilterBar>
          <TextField label={FRICTION.goal} value={goal} choices={steps} onChange={(next) => address.set({ goal: next })} />
          <Select
            label={FRICTION.by} value={by} onChange={(next) => address.set({ by: next === 'session' ? null : next })}
            choices={[{ value: 'session', label: FRICTION.bySession }, { value: 'person', label: FRICTION.byPerson }]}
          />
        </FilterBar>
      }
    >
      {isEmpty ? <Empty icon="friction" title={FRICTION.emptyTitle}>{FRICTION.empty}</Empty>
        : isKnown ? <Answer query={friction}>{(answer) => <Told answer={answer} hasGoal={goal !== ''} />}</Answer>
          : <Spinner />}
    </Page>
  )
}

function Told({ answer, hasGoal }: { readonly answer: FrictionAnswer; readonly hasGoal: boolean }) {
  const { incidents, standing } = split(answer)
  const costly = answer.findings.filter((one) => one.conversions_lost !== null).slice(0, MOST_DRAWN)
  return (
    <>
      <p className={css.shown}>{FRICTION.shown(answer.findings.length, answer.n_findings)}</p>
      <Card title={FRICTION.incidents} note={FRICTION.incidentsAbout} isFlush>
        <Findings findings={incidents} none={FRICTION.noIncidents} hasGoal={hasGoal} />
      </Card>
      {hasGoal && costly.length > 0 && <Costs findings={costly} />}
      <Card title={FRICTION.standing} note={FRICTION.standingAbout} isFlush>
        <Findings findings={standing} none={FRICTION.noStanding} hasGoal={hasGoal} />
      </Card>
      <NotToConclude cautions={FRICTION.notToConclude} />
      <Definition definition={answer.definition} />
    </>
  )
}

function Costs({ findings }: { readonly findings: readonly Finding[] }) {
  const option = useCallback((colours: Colours) => intervalsOption(costs(findings, colours), colours), [findings])
  return (
    <Card title={FRICTION.lost} note={FRICTION.lostAbout}>
      <Chart
        label={FRICTION.plot} option={option} csvName="friction-costs"
        height={heightOf({ categories: findings.map(titleOf), series: [{ name: '', colour: '', points: [] }] })}
        table={{
          columns: [FRICTION.title, FRICTION.whose, FRICTION.lost, 'low', 'high'],
          rows: findings.map((one) => [titleOf(one), segmentOf(one.segment), one.conversions_lost?.estimate, one.conversions_lost?.low, one.conversions_lost?.high]),
        }}
      />
    </Card>
  )
}

function costs(findings: readonly Finding[], colours: Colours): Intervals {
  return {
    categories: findings.map((one) => [titleOf(one), segmentOf(one.segment)].filter(Boolean).join(', ')),
    series: [{
      name: FRICTION.lost, colour: colours.bad, isMain: true, points: findings.map((one) => one.conversions_lost),
      colours: findings.map((one) => (isClear(one) ? colours.bad : colours['series-8'])),
    }],
    write: (x) => signed(x),
    axis: FRICTION.lost,
    hasZero: true,
  }
}
