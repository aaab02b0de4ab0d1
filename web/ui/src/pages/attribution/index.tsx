/** Attribution: path credit by every model beside what hold-outs show was brought about, and which is which. */

import { ApiError } from '../../api/errors'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { Figure, Figures } from '../../parts/Figure'
import { count, interval, number, share } from '../../parts/format'
import { Page } from '../../parts/Page'
import { Spinner } from '../../parts/Waiting'
import { ATTRIBUTION } from '../../text/attribution'
import { SHARED } from '../../text/shared'
import { Definition } from '../shared/Definition'
import { NotToConclude } from '../shared/NotToConclude'
import { signed } from '../shared/numbers'
import { useSteps } from '../shared/useSteps'
import type { CausalAnswer, ModelAnswer } from './answers'
import css from './attribution.module.css'
import { channelRows, otherUnits, removals } from './credit'
import { Asking } from './Asking'
import { CreditTable } from './CreditTable'
import { NoHoldout, Removal, Side, Units } from './Drawn'
import { Paths } from './Paths'
import { useAsked, useCausal, useCredit, type Asked } from './useAttribution'

export default function AttributionPage() {
  const { steps, isKnown } = useSteps()
  const asked = useAsked(steps)
  const credit = useCredit(asked)
  const causal = useCausal(asked)
  return (
    <Page title={ATTRIBUTION.title} note={ATTRIBUTION.about} filters={<Asking asked={asked} steps={steps} />}>
      {!isKnown ? <Spinner />
        : asked.conversion === '' ? <Choose hasSteps={steps.length > 0} />
        : credit.data ? <Told asked={asked} models={credit.data} causal={causal.data ?? null} problem={causal.error} isWaiting={causal.isLoading} />
          : credit.isError ? <Refused error={credit.error} onRetry={() => void credit.refetch()} />
            : <Spinner label={SHARED.loading} />}
    </Page>
  )
}

function Choose({ hasSteps }: { readonly hasSteps: boolean }) {
  return hasSteps
    ? <Empty icon="attribution" title={ATTRIBUTION.chooseTitle}>{ATTRIBUTION.choose}</Empty>
    : <Empty icon="attribution" title={ATTRIBUTION.emptyTitle}>{ATTRIBUTION.empty}</Empty>
}

function Refused({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  if (error instanceof ApiError && error.status === 404) return <Choose hasSteps={false} />
  return <Failure error={error} onRetry={onRetry} />
}

interface Props {
  readonly asked: Asked
  readonly models: readonly ModelAnswer[]
  readonly causal: CausalAnswer | null
  /** Why there are no effects. */
  readonly problem: unknown
  readonly isWaiting: boolean
}

function Told({ asked, models, causal, problem, isWaiting }: Props) {
  const rows = channelRows(models, causal)
  const others = otherUnits(causal)
  const effects = removals(models)
  return (
    <>
      <Totals models={models} causal={causal} />
      <WhichIsWhich />
      <Side rows={rows} models={models} isWaiting={isWaiting} />
      {problem ? <WithoutEffects problem={problem} /> : null}
      <CreditTable rows={rows} models={models} hasCausal={causal !== null} />
      {others.length > 0 && <Units units={others} />}
      <div className={css.pair}>
        {effects.length > 0 && <Removal effects={effects} />}
        <Paths asked={asked} />
      </div>
      <NotToConclude cautions={[...ATTRIBUTION.notToConclude, ...(causal?.cautions ?? [])]} />
      {models[0] && <Definition definition={{ ...models[0].definition.rules, left_out: models[0].definition.left_out, interval: models[0].definition.interval }} />}
      {causal && <Definition definition={causal.definition} />}
    </>
  )
}

/** A question about effects without any hold-out is no failure: it says what to do to have some. */
function WithoutEffects({ problem }: { readonly problem: unknown }) {
  if (problem instanceof ApiError && problem.message.includes('[no-holdout]')) return <NoHoldout />
  return <Card title={ATTRIBUTION.causal}><Failure error={problem} /></Card>
}

function Totals({ models, causal }: Pick<Props, 'models' | 'causal'>) {
  const totals = models[0]?.totals
  if (!totals) return null
  const channels = (causal?.units ?? []).filter((unit) => unit.kind === 'channel')
  const everything = causal?.units.find((unit) => unit.kind === 'everything')?.incremental
  return (
    <Figures>
      <Figure label={ATTRIBUTION.totals.conversions} value={count(totals.conversions)} note={ATTRIBUTION.totalsPaths(count(totals.journeys))} />
      <Figure label={ATTRIBUTION.totals.rate} value={share(totals.conversion_rate)} />
      {totals.people !== null && <Figure label={ATTRIBUTION.totals.people} value={count(totals.people)} />}
      {totals.value ? <Figure label={ATTRIBUTION.totals.value} value={number(totals.value)} /> : null}
      {everything && (
        <Figure
          label={`${ATTRIBUTION.unitColumns.caused}: ${ATTRIBUTION.kinds.everything}`} value={signed(everything.estimate)}
          interval={interval(everything.low, everything.high, (x) => signed(x))}
        />
      )}
      {channels.length > 0 && (
        <Figure
          label={ATTRIBUTION.totals.brings} value={`${channels.filter((unit) => unit.verdict === 'brings').length} ${ATTRIBUTION.kinds.channel}s`}
          note={`of ${channels.length} with a hold-out`}
        />
      )}
    </Figures>
  )
}

function WhichIsWhich() {
  return (
    <div className={css.pair}>
      <div className={css.kind} data-kind="credit">
        <h2>{ATTRIBUTION.credit} <Badge tone="warn">{ATTRIBUTION.creditIs}</Badge></h2>
        <p>{ATTRIBUTION.creditText}</p>
      </div>
      <div className={css.kind} data-kind="causal">
        <h2>{ATTRIBUTION.causal} <Badge tone="accent">{ATTRIBUTION.causalIs}</Badge></h2>
        <p>{ATTRIBUTION.causalText}</p>
      </div>
    </div>
  )
}
