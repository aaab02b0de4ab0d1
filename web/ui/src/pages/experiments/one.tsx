/** One experiment: whether it may be read, what each variant did, and what not to conclude. */

import { useQuery } from '@tanstack/react-query'
import { useParams } from 'wouter'
import { ApiError } from '../../api/errors'
import { askExperiment } from '../../api/experiments'
import { Answer } from '../../parts/Answer'
import { LinkButton } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { Figure, Figures } from '../../parts/Figure'
import { FilterBar, Select, TextField } from '../../parts/Filters'
import { count, instant } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { Page } from '../../parts/Page'
import { oneOf, useAddress } from '../../parts/url'
import { ALLOCATIONS, EXPERIMENTS } from '../../text/experiments'
import { CsvButton } from '../shared/CsvButton'
import { Definition } from '../shared/Definition'
import { NotToConclude } from '../shared/NotToConclude'
import type { Report } from './answers'
import css from './experiments.module.css'
import { Effects, Ratio } from './Drawn'
import { Metric } from './Metric'
import { byMetric, reportSheet } from './reading'

const METHODS = ['always-valid', 'fixed', 'planned-looks'] as const

export default function ExperimentPage() {
  const { name = '' } = useParams<{ name: string }>()
  const address = useAddress()
  const method = oneOf(address.get('method'), METHODS)
  const query = { method, control: address.get('control'), by: address.all('by'), planned: address.get('planned') }
  const isAsked = method !== 'planned-looks' || query.planned !== ''
  const report = useQuery({
    queryKey: ['experiment', name, query],
    queryFn: ({ signal }) => askExperiment<Report>(name, query, signal),
    enabled: isAsked,
    placeholderData: (before) => before,
  })
  const isMissing = report.error instanceof ApiError && isOfNobody(report.error)
  return (
    <Page
      title={name} filters={<Asking method={method} variants={report.data?.arms.map((arm) => arm.variant) ?? []} />}
      actions={report.data && <CsvButton name={`experiment-${name}`} sheet={reportSheet(report.data)} />}
    >
      {!isAsked && <Empty icon="experiments" title={EXPERIMENTS.plannedTitle}>{EXPERIMENTS.plannedText}</Empty>}
      {isMissing && <Missing name={name} />}
      {isAsked && !isMissing && <Answer query={report}>{(found) => <Told report={found} />}</Answer>}
    </Page>
  )
}

/** Nobody did anything yet, or nobody met this one. */
function isOfNobody({ status, message }: ApiError): boolean {
  return status === 404 || message.startsWith('nobody met an experiment')
}

function Missing({ name }: { readonly name: string }) {
  return (
    <Empty icon="experiments" title={EXPERIMENTS.missingTitle(name)} action={<LinkButton to="/experiments">{EXPERIMENTS.toList}</LinkButton>}>
      {EXPERIMENTS.missing}
    </Empty>
  )
}

function Asking({ method, variants }: { readonly method: (typeof METHODS)[number]; readonly variants: readonly string[] }) {
  const address = useAddress()
  const set = (name: string) => (value: string) => address.set({ [name]: value })
  return (
    <FilterBar>
      <Select
        label={EXPERIMENTS.method} value={method} onChange={(next) => address.set({ method: next === 'always-valid' ? null : next })}
        choices={METHODS.map((value) => ({ value, label: EXPERIMENTS.methods[value] }))}
      />
      {method === 'planned-looks' && <TextField label={EXPERIMENTS.planned} type="number" value={address.get('planned')} onChange={set('planned')} width={90} />}
      <Select
        label={EXPERIMENTS.controlIs} value={address.get('control')} onChange={set('control')}
        choices={[{ value: '', label: '—' }, ...variants.map((value) => ({ value, label: value }))]}
      />
      <TextField label={EXPERIMENTS.by} value={address.get('by')} placeholder={EXPERIMENTS.byHint} onChange={set('by')} width={130} />
    </FilterBar>
  )
}

function Told({ report }: { readonly report: Report }) {
  const metrics = byMetric(report)
  return (
    <>
      {report.ratio.is_mismatch && (
        <div className={css.alarm} role="alert">
          <Icon name="warn" size={20} />
          <div><strong>{EXPERIMENTS.srmTitle}</strong><p>{EXPERIMENTS.srmText}</p></div>
        </div>
      )}
      <Figures>
        <Figure label={EXPERIMENTS.people} value={count(report.people)} note={EXPERIMENTS.beside(report.control)} />
        <Figure label={EXPERIMENTS.allocation} value={ALLOCATIONS[report.allocation]} />
        <Figure label={EXPERIMENTS.since} value={instant(report.first_at_ms, false)} />
        <Figure label={EXPERIMENTS.until} value={instant(report.until_ms, false)} />
        {report.multiple > 0 && <Figure label={EXPERIMENTS.severalOut} value={count(report.multiple)} />}
      </Figures>
      {metrics.length === 0 && <Card><p>{EXPERIMENTS.noMetrics}</p></Card>}
      {report.comparisons.some((one) => one.relative.estimate !== null) && <Effects report={report} />}
      {metrics.map((metric) => <Metric key={metric.metric} metric={metric} />)}
      <Ratio report={report} />
      <NotToConclude cautions={[...new Set([...report.warnings, ...EXPERIMENTS.notToConclude])]} />
      <Definition definition={report.definition} />
    </>
  )
}
