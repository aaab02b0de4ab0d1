/** A journey's runs as a support engineer asks of them: what was sent, what was not, and why. */

import type { ExplanationView, Judged, RunView } from '../../api/schema'
import { EXITED, HEADLINE, OUTCOME, SAYS } from '../../text/story'
import { cause, tellAll, whyWithheld, type Fact, type Line, type Tone } from './facts'

export type Outcome = keyof typeof OUTCOME

/** One thing a journey wanted to send, and what became of it. */
export interface ActionStory {
  readonly id: string
  readonly at: number
  readonly journey: string
  readonly enrolmentId: string
  readonly state: string
  readonly sink: string
  readonly channel: string
  readonly outcome: Outcome
  readonly reason: string
  /** Why it was not sent, or how its delivery went. */
  readonly says: string
  /** What moved the person into the state that wanted it. */
  readonly cause: string
  /** The guards that were asked on that way. */
  readonly judged: readonly Judged[]
}

/** One enrolment. */
export interface RunStory {
  readonly id: string
  readonly version: string
  readonly key: string
  readonly isOver: boolean
  readonly headline: string
  readonly tone: Tone
  readonly enteredAt: number | null
  readonly lines: readonly Line[]
  readonly actions: readonly ActionStory[]
  readonly awaits: RunView['awaits']
}

type Decided = Extract<Fact, { type: 'action' | 'action_withheld' | 'action_deferred' }>
type Moved = Extract<Fact, { type: 'transition' }>
type Step = Extract<Fact, { type: 'step' }>
type Led = Pick<ActionStory, 'cause' | 'judged'>

const TONES: Readonly<Record<Outcome, Tone>> = {
  sent: 'plain', delivered: 'good', failed: 'bad', expired: 'bad', withheld: 'warn', deferred: 'warn',
}

/** Tell how an action's outcome is to be taken. */
export function toneOf(outcome: Outcome): Tone {
  return TONES[outcome]
}

/** Tell the runs of an explanation, the newest first. */
export function runsOf(view: ExplanationView): readonly RunStory[] {
  return view.runs.map(runOf).reverse()
}

function runOf(run: RunView): RunStory {
  const actions = actionsOf(run.facts)
  const entered = run.facts.find((fact) => fact.type === 'entered')
  const [headline, tone] = summary(run, actions)
  return {
    id: run.id,
    version: run.version,
    key: run.key,
    isOver: run.is_over,
    headline,
    tone,
    enteredAt: entered?.at ?? null,
    lines: tellAll(run.facts),
    actions,
    awaits: run.awaits ?? [],
  }
}

/**
 * List what journeys wanted to send, oldest first: one story for each action, told by its last fact.
 *
 * An action that was put off is decided again under the same id, and a delivery names the id alone.
 */
export function actionsOf(facts: readonly Fact[]): readonly ActionStory[] {
  const stories = new Map<string, ActionStory>()
  const moves = new Map<string, Moved[]>()
  let step: Step | undefined
  for (const fact of facts) {
    if (fact.type === 'step') step = fact
    else if (fact.type === 'transition') remember(moves, fact)
    else if (fact.type === 'action' || fact.type === 'action_withheld' || fact.type === 'action_deferred') {
      const before = stories.get(fact.action_id)
      stories.set(fact.action_id, decided(fact, before, ledBy(moves.get(fact.enrolment_id) ?? [], step?.position === fact.position ? step : undefined)))
    } else if (fact.type === 'delivery') {
      const before = stories.get(fact.action_id)
      if (before) stories.set(fact.action_id, delivered(before, fact))
    }
  }
  return [...stories.values()].sort((one, other) => one.at - other.at)
}

/** Keep the moves of the last macrostep of each enrolment: those at the same instant led here together. */
function remember(moves: Map<string, Moved[]>, move: Moved): void {
  const before = moves.get(move.enrolment_id) ?? []
  moves.set(move.enrolment_id, before[0]?.at === move.at ? [...before, move] : [move])
}

function decided(fact: Decided, before: ActionStory | undefined, now: Led): ActionStory {
  const led = before ? { cause: before.cause, judged: before.judged } : now
  const base = {
    id: fact.action_id,
    at: fact.at,
    journey: fact.journey,
    enrolmentId: fact.enrolment_id,
    state: fact.state,
    sink: fact.sink,
    channel: fact.channel ?? '',
    ...led,
  }
  switch (fact.type) {
    case 'action':
      return { ...base, outcome: 'sent', reason: '', says: '' }
    case 'action_deferred':
      return { ...base, outcome: 'deferred', reason: fact.reason, says: SAYS.putOff(fact.sink) }
    case 'action_withheld':
      return { ...base, outcome: 'withheld', reason: fact.reason, says: whyWithheld(fact.reason, fact.detail) }
    default:
      return fact satisfies never
  }
}

/** What led here: the timer or event of the moves, or else the step that let the person in. */
function ledBy(moves: readonly Moved[], step: Step | undefined): Led {
  const event = moves.find((move) => move.event)?.event ?? step?.name ?? ''
  return { cause: cause(event), judged: moves.flatMap((move) => move.judged ?? []) }
}

function delivered(before: ActionStory, fact: Extract<Fact, { type: 'delivery' }>): ActionStory {
  const outcome: Outcome = fact.outcome === 'delivered' || fact.outcome === 'expired' ? fact.outcome : 'failed'
  const said = outcome === 'delivered' ? SAYS.delivered(fact.attempts) : SAYS.undelivered(fact.outcome, fact.attempts)
  return { ...before, outcome, says: fact.detail ? `${said} (${fact.detail})` : said }
}

function summary(run: RunView, actions: readonly ActionStory[]): readonly [string, Tone] {
  const n = (...outcomes: readonly Outcome[]) => actions.filter((one) => outcomes.includes(one.outcome)).length
  const heldOut = run.facts.some((fact) => fact.type === 'entered' && fact.held_out)
  const reached = run.facts.some((fact) => fact.type === 'goal')
  const exit = run.facts.find((fact) => fact.type === 'exited')
  const parts = [
    ...(heldOut ? [HEADLINE.heldOut] : []),
    ...(n('delivered') ? [HEADLINE.sent(n('delivered'))] : heldOut || actions.length ? [] : [HEADLINE.none]),
    ...(n('sent') ? [HEADLINE.onWay(n('sent'))] : []),
    ...(n('failed', 'expired') ? [HEADLINE.failed(n('failed', 'expired'))] : []),
    ...(!heldOut && n('withheld', 'deferred') ? [HEADLINE.withheld(n('withheld', 'deferred'))] : []),
    ...(reached ? [HEADLINE.goal] : []),
    ...(run.is_over ? [] : [HEADLINE.waits]),
    ...(exit && exit.reason !== 'goal' ? [`${SAYS.left(EXITED[exit.reason] ?? exit.reason)}.`] : []),
  ]
  return [parts.join(' '), toneOfRun(n('failed', 'expired'), heldOut || n('withheld') > 0, n('delivered') > 0 || reached)]
}

function toneOfRun(nFailed: number, isHeld: boolean, isGood: boolean): Tone {
  if (nFailed > 0) return 'bad'
  if (isHeld) return 'warn'
  return isGood ? 'good' : 'plain'
}
