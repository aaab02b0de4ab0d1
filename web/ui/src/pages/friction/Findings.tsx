/** Findings as rows: what, whose, when, how often, and what it costs. */

import { Badge } from '../../parts/Badge'
import { LinkButton } from '../../parts/Button'
import { count, share } from '../../parts/format'
import { Stacked } from '../../parts/Stacked'
import { Table, type Column } from '../../parts/Table'
import { FRICTION, SIGNALS } from '../../text/friction'
import { bounds, chance, signed } from '../shared/numbers'
import type { Finding } from './answers'
import css from './friction.module.css'
import { isClear, mapPath, segmentOf, timesOf, titleOf, whenOf } from './reading'

export function Findings({ findings, none, hasGoal }: {
  readonly findings: readonly Finding[]
  readonly none: string
  readonly hasGoal: boolean
}) {
  const hasDates = findings.some((one) => one.kind === 'incident')
  return (
    <Table
      label={hasDates ? FRICTION.incidents : FRICTION.standing} rows={findings} perPage={12} empty={<p className={css.none}>{none}</p>}
      rowKey={(row) => [row.signal, ...row.steps, segmentOf(row.segment), row.first].join('|')}
      columns={[WHAT, ...(hasDates ? [WHEN] : []), HAPPENS, PEOPLE, ...(hasGoal ? [LOST] : []), ...(hasDates ? [CHANCE] : []), MAP]}
    />
  )
}

const WHAT: Column<Finding> = {
  key: 'what', title: FRICTION.title, value: titleOf,
  cell: (row) => (
    <div className={css.what}>
      <span title={SIGNALS[row.signal].means}><Badge tone={row.kind === 'incident' ? 'bad' : 'plain'}>{SIGNALS[row.signal].name}</Badge></span>
      <strong>{titleOf(row)}</strong>
      {segmentOf(row.segment) && <span className={css.whose}>{segmentOf(row.segment)}</span>}
      {row.evidence.length > 0 && <span className={css.muted}>{FRICTION.also} {row.evidence.map(titleOf).join('; ')}</span>}
    </div>
  ),
}

const WHEN: Column<Finding> = {
  key: 'when', title: FRICTION.when, value: (row) => row.first,
  cell: (row) => (
    <Stacked notes={[row.first_between && FRICTION.may(...row.first_between), row.last_between && FRICTION.mayEnd(...row.last_between)]}>
      {whenOf(row)}
    </Stacked>
  ),
}

const HAPPENS: Column<Finding> = {
  key: 'share', title: FRICTION.share, isNumber: true, value: (row) => row.share,
  cell: (row) => {
    const times = timesOf(row)
    return (
      <Stacked notes={[times === null ? `${count(row.cases)} of ${count(row.at_risk)}` : `${FRICTION.elsewhere} ${share(row.share_elsewhere)}`]}>
        <strong>{share(row.share)}</strong>
      </Stacked>
    )
  },
}

const PEOPLE: Column<Finding> = {
  key: 'people', title: FRICTION.people, isNumber: true, value: (row) => row.people, cell: (row) => count(row.people),
}

const LOST: Column<Finding> = {
  key: 'lost', title: FRICTION.lost, isNumber: true, about: FRICTION.lostAbout, value: (row) => row.conversions_lost?.estimate,
  cell: (row) => row.conversions_lost && (
    <Stacked notes={[bounds(row.conversions_lost.low, row.conversions_lost.high, (x) => signed(x))]} tone={isClear(row) ? 'bad' : undefined}>
      <strong>{signed(row.conversions_lost.estimate)}</strong>
    </Stacked>
  ),
}

const CHANCE: Column<Finding> = {
  key: 'p', title: FRICTION.chance, isNumber: true, about: FRICTION.chanceAbout, value: (row) => row.p, cell: (row) => chance(row.p),
}

const MAP: Column<Finding> = {
  key: 'map', title: FRICTION.map, isFixed: true, value: () => null,
  cell: (row) => <LinkButton to={mapPath(row)} look="quiet" icon="map" isSmall>{FRICTION.onMap}</LinkButton>,
}
