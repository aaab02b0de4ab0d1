/** Funnels: steps, how many get through and how fast, and where the others went. */

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiError } from '../../api/errors'
import { ask, askGraph } from '../../api/questions'
import { Answer } from '../../parts/Answer'
import { Empty } from '../../parts/Empty'
import { Figure, Figures } from '../../parts/Figure'
import { count, duration, interval, share } from '../../parts/format'
import { Page } from '../../parts/Page'
import { Spinner } from '../../parts/Waiting'
import { oneOf, useAddress } from '../../parts/url'
import { FUNNELS } from '../../text/funnels'
import { CsvButton } from '../shared/CsvButton'
import { Definition } from '../shared/Definition'
import { likelyGoal } from '../shared/goals'
import { NotToConclude } from '../shared/NotToConclude'
import { PATIENT } from '../shared/patience'
import { useSteps } from '../shared/useSteps'
import type { FunnelAnswer } from './answers'
import { Asking } from './Asking'
import css from './funnels.module.css'
import { conversionOf, funnelSheet, largestDrop, ORDERS, PERS, suggestSteps } from './reading'
import { SegmentsCard } from './Segments'
import { Steps } from './Steps'
import { TimeCard } from './Time'
import { Who, type Wanted } from './Who'

const FRESH_MS = 60_000

interface Chosen {
  readonly steps: readonly string[]
  readonly isSuggested: boolean
  readonly isKnown: boolean
  /** Names of all events. */
  readonly known: readonly string[]
}

/** Steps of the address, or else a suggestion. */
function useChosen(): Chosen {
  const given = useAddress().all('step')
  const { steps: known, isKnown } = useSteps()
  const goal = likelyGoal(known)
  const graph = useQuery({
    queryKey: ['suggested', goal], queryFn: ({ signal }) => askGraph({ goal: [goal], limit: 200, edges: 2_000 }, signal),
    enabled: given.length === 0 && goal !== '', staleTime: FRESH_MS, ...PATIENT,
  })
  if (given.length > 0) return { steps: given, isSuggested: false, isKnown: true, known }
  const isWaiting = !isKnown || graph.isLoading
  return { steps: graph.data ? suggestSteps(graph.data.nodes, graph.data.edges, goal) : [], isSuggested: true, isKnown: !isWaiting, known }
}

export default function FunnelsPage() {
  const address = useAddress()
  const { steps, isSuggested, isKnown, known } = useChosen()
  const asked = {
    step: steps, order: oneOf(address.get('order'), ORDERS), within: address.get('within'), per: oneOf(address.get('per'), PERS), by: address.get('by'),
  }
  const [wanted, setWanted] = useState<Wanted | null>(null)
  const funnel = useQuery({
    queryKey: ['funnel', asked],
    queryFn: ({ signal }) => ask<FunnelAnswer>('funnel', { ...asked, 'time-to-convert': steps.length > 1 }, signal),
    enabled: steps.length > 0,
    staleTime: FRESH_MS,
    ...PATIENT,
    placeholderData: (before) => before,
  })
  const isEmpty = (isKnown && known.length === 0 && steps.length === 0) || (funnel.error instanceof ApiError && funnel.error.status === 404)
  return (
    <Page
      title={FUNNELS.title} note={FUNNELS.about} filters={<Asking steps={steps} known={known} />}
      actions={funnel.data && <CsvButton name="funnel" sheet={funnelSheet(funnel.data)} />}
    >
      {isSuggested && steps.length > 0 && <p className={css.suggested}>{FUNNELS.suggested}</p>}
      {isEmpty ? <Empty icon="funnel" title={FUNNELS.emptyTitle}>{FUNNELS.empty}</Empty>
        : !isKnown ? <Spinner />
          : steps.length === 0 ? <Empty icon="funnel" title={FUNNELS.chooseTitle}>{FUNNELS.choose}</Empty>
            : <Answer query={funnel}>{(answer) => <Told answer={answer} by={asked.by} onWho={setWanted} />}</Answer>}
      {wanted && <Who asked={asked} wanted={wanted} onClose={() => setWanted(null)} />}
    </Page>
  )
}

function Told({ answer, by, onWho }: { readonly answer: FunnelAnswer; readonly by: string; readonly onWho: (wanted: Wanted) => void }) {
  const through = conversionOf(answer)
  const drop = largestDrop(answer)
  const median = answer.times.at(-1)?.from_start_p50_ms
  return (
    <>
      <Figures>
        <Figure label={FUNNELS.began} value={count(answer.steps[0]?.count)} />
        <Figure label={FUNNELS.got} value={count(answer.steps.at(-1)?.count)} />
        <Figure label={FUNNELS.through} value={share(through?.share)} interval={interval(through?.low, through?.high)} />
        <Figure label={FUNNELS.median} value={duration(median)} />
        {drop && <Figure label={FUNNELS.biggest} value={share(drop.share)} note={FUNNELS.after(drop.step)} />}
      </Figures>
      <Steps answer={answer} onWho={onWho} />
      {by !== '' && <SegmentsCard answer={answer} attribute={by} />}
      {answer.time_to_convert && answer.time_to_convert.curve.length > 1 && <TimeCard time={answer.time_to_convert} />}
      <NotToConclude cautions={FUNNELS.notToConclude} />
      <Definition definition={answer.definition} />
    </>
  )
}
