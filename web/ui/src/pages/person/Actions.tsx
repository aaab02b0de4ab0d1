/** Every message a journey wanted to send: what came of it, and why. */

import { Link } from 'wouter'
import { Badge, type Tone } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { instant } from '../../parts/format'
import { Table, type Column } from '../../parts/Table'
import { PERSON } from '../../text/people'
import { OUTCOME, WITHHELD_SHORT } from '../../text/story'
import { sawOf } from './facts'
import { Judging } from './Judging'
import css from './person.module.css'
import { toneOf, type ActionStory } from './story'

export function Actions({ actions }: { readonly actions: readonly ActionStory[] }) {
  return (
    <Card title={PERSON.actions} note={PERSON.actionsNote} isFlush>
      <Table
        label={PERSON.actions} rows={actions} columns={COLUMNS} rowKey={(row) => row.id} perPage={10} csvName="messages"
        sortedBy={{ key: 'when', isDown: true }} empty={<Empty icon="send" title={PERSON.noActions} />}
      />
    </Card>
  )
}

const { actionColumns: NAMES } = PERSON

const COLUMNS: readonly Column<ActionStory>[] = [
  { key: 'when', title: NAMES.when, value: (row) => row.at, cell: (row) => <span className={css.when}>{instant(row.at)}</span> },
  { key: 'outcome', title: NAMES.outcome, value: labelOf, cell: (row) => <OutcomeBadge action={row} /> },
  {
    key: 'what', title: NAMES.what, value: (row) => PERSON.from(row.journey, row.state),
    cell: (row) => (
      <div className={css.what}>
        <Link href={`/journeys/${encodeURIComponent(row.journey)}?at=${encodeURIComponent(row.state)}`}>{PERSON.from(row.journey, row.state)}</Link>
        <span>{PERSON.to(row.sink, row.channel)}</span>
      </div>
    ),
  },
  { key: 'why', title: NAMES.why, isFixed: true, value: whyOf, cell: (row) => <Why action={row} /> },
]

export function OutcomeBadge({ action }: { readonly action: ActionStory }) {
  return <Badge tone={toneOf(action.outcome) satisfies Tone} hasDot>{labelOf(action)}</Badge>
}

function Why({ action }: { readonly action: ActionStory }) {
  return (
    <div className={css.why}>
      {action.says && <p>{action.says}</p>}
      {action.cause && <p className={css.cause}>{action.cause}</p>}
      <Judging judged={action.judged} />
    </div>
  )
}

function labelOf(action: ActionStory): string {
  const reason = WITHHELD_SHORT[action.reason]
  return reason ? `${OUTCOME[action.outcome]}: ${reason}` : OUTCOME[action.outcome]
}

function whyOf(action: ActionStory): string {
  const guards = action.judged.map((one) => `${one.held ? PERSON.held : PERSON.didNot}: ${one.guard} (${sawOf(one)})`)
  return [action.says, action.cause, ...guards].filter(Boolean).join('; ')
}
