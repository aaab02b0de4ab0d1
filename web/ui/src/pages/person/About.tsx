/** Who a person is: ids and how they were joined, traits, consent, friction, segments, and what was drawn for them. */

import type { ProfileView } from '../../api/schema'
import { Link } from 'wouter'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Figure } from '../../parts/Figure'
import { instant, number, share } from '../../parts/format'
import { Table } from '../../parts/Table'
import { PERSON } from '../../text/people'
import { drawnOf, idsOf } from './person'
import css from './person.module.css'

export function About({ profile }: { readonly profile: ProfileView }) {
  return (
    <div className={css.about}>
      <Ids profile={profile} />
      <Traits profile={profile} />
      <Experiments profile={profile} />
      <Consent profile={profile} />
      <FrictionCard profile={profile} />
      <Propensities profile={profile} />
      <Segments profile={profile} />
    </div>
  )
}

interface Props {
  readonly profile: ProfileView
}

function Ids({ profile }: Props) {
  const { idColumns: names } = PERSON
  return (
    <Card title={PERSON.ids} note={PERSON.idsNote} isFlush className={css.wide}>
      <Table
        label={PERSON.ids} rows={idsOf(profile)} rowKey={(row) => `${row.kind}:${row.id}`}
        columns={[
          { key: 'id', title: names.id, value: (row) => row.id, cell: (row) => <code className={css.id}>{row.id}</code> },
          { key: 'kind', title: names.kind, value: (row) => PERSON.kind[row.kind], cell: (row) => <Badge tone={row.kind === 'user' ? 'accent' : 'plain'}>{PERSON.kind[row.kind]}</Badge> },
          { key: 'since', title: names.since, value: (row) => row.since, cell: (row) => instant(row.since) },
          { key: 'how', title: names.how, value: (row) => row.how },
        ]}
      />
    </Card>
  )
}

function Traits({ profile }: Props) {
  const traits = Object.entries(profile.traits as Readonly<Record<string, unknown>>).sort(([one], [other]) => one.localeCompare(other))
  return (
    <Card title={PERSON.traits} isFlush>
      <Table
        label={PERSON.traits} rows={traits} rowKey={([name]) => name} empty={<p className={css.none}>{PERSON.noTraits}</p>}
        columns={[
          { key: 'trait', title: PERSON.trait, value: ([name]) => name, cell: ([name]) => <code>{name}</code> },
          { key: 'value', title: PERSON.value, value: ([, value]) => textOf(value) },
        ]}
      />
    </Card>
  )
}

function Experiments({ profile }: Props) {
  const { experimentColumns: names } = PERSON
  return (
    <Card title={PERSON.experiments} note={PERSON.experimentsNote} isFlush>
      <Table
        label={PERSON.experiments} rows={drawnOf(profile)} rowKey={(row) => row.experiment} empty={<p className={css.none}>{PERSON.noExperiments}</p>}
        columns={[
          { key: 'experiment', title: names.experiment, value: (row) => row.experiment, cell: (row) => <Link href={`/experiments/${encodeURIComponent(row.experiment)}`}>{row.experiment}</Link> },
          { key: 'variant', title: names.variant, value: (row) => row.variant, cell: (row) => <Badge tone="info">{row.variant}</Badge> },
          { key: 'chance', title: names.chance, isNumber: true, value: (row) => row.chance, cell: (row) => share(row.chance) },
          { key: 'met', title: names.met, value: (row) => row.at, cell: (row) => instant(row.at, false) },
          { key: 'where', title: names.where, value: (row) => row.where },
        ]}
      />
    </Card>
  )
}

function Consent({ profile }: Props) {
  const said = Object.entries(profile.consent ?? {})
  return (
    <Card title={PERSON.consent} isFlush>
      <Table
        label={PERSON.consent} rows={said} rowKey={([scope]) => scope} empty={<p className={css.none}>{PERSON.noConsent}</p>}
        columns={[
          { key: 'scope', title: PERSON.scope, value: ([scope]) => scope },
          {
            key: 'said', title: PERSON.said, value: ([, one]) => (one.granted ? PERSON.allowed : PERSON.forbidden),
            cell: ([, one]) => <Badge tone={one.granted ? 'good' : 'bad'}>{one.granted ? PERSON.allowed : PERSON.forbidden}</Badge>,
          },
          { key: 'at', title: PERSON.idColumns.since, value: ([, one]) => one.at, cell: ([, one]) => instant(one.at, false) },
        ]}
      />
    </Card>
  )
}

function FrictionCard({ profile }: Props) {
  const friction = profile.friction ?? null
  if (friction === null) return <Card title={PERSON.friction} isFlush><p className={css.none}>{PERSON.noFriction}</p></Card>
  return (
    <Card title={PERSON.friction}>
      <Figure label={PERSON.score} value={number(friction.score)} />
      <ul className={css.signals}>
        {friction.signals.toReversed().map((signal) => (
          <li key={`${signal.at}-${signal.name}`}>
            <Badge tone="bad">{signal.name.replaceAll('_', ' ')}</Badge> {signal.target} <span className={css.muted}>{instant(signal.at, false)}</span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Propensities({ profile }: Props) {
  return (
    <Card title={PERSON.propensities} isFlush>
      <Table
        label={PERSON.propensities} rows={Object.entries(profile.propensities ?? {})} rowKey={([goal]) => goal}
        empty={<p className={css.none}>{PERSON.noPropensities}</p>}
        columns={[
          { key: 'goal', title: PERSON.goal, value: ([goal]) => goal },
          { key: 'likely', title: PERSON.likely, isNumber: true, value: ([, likely]) => likely, cell: ([, likely]) => share(likely) },
        ]}
      />
    </Card>
  )
}

function Segments({ profile }: Props) {
  return (
    <Card title={PERSON.segments} isFlush>
      <Table
        label={PERSON.segments} rows={Object.entries(profile.segments)} rowKey={([name]) => name} empty={<p className={css.none}>{PERSON.noSegments}</p>}
        columns={[
          { key: 'segment', title: PERSON.segment, value: ([name]) => name },
          { key: 'since', title: PERSON.since, value: ([, since]) => since, cell: ([, since]) => instant(since, false) },
        ]}
      />
    </Card>
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
