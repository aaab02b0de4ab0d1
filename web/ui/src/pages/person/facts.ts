/** Facts in words: each one a line with a tone, so that what matters stands out. */

import type { Judged, ProfileView } from '../../api/schema'
import { MAP } from '../../text/map'
import { EXITED, JOINED, NOT_ENTERED, REFUSED_JOIN, SAYS, WITHHELD } from '../../text/story'

/** Any fact; fields that have their default may be absent in an answer. */
export type Fact = ProfileView['timeline'][number]

/** How a line is to be taken: good news, bad news, a hold, or just how it went. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain'

/** What a line is about, for filters. */
export type Topic = 'steps' | 'visits' | 'identity' | 'journeys' | 'actions' | 'experiments' | 'segments' | 'friction'

export interface Line {
  readonly at: number
  readonly topic: Topic
  readonly tone: Tone
  readonly says: string
  /** What decided, with the values it saw. */
  readonly because: string
  readonly judged: readonly Judged[]
  readonly journey: string
  readonly experiment: string
}

type Told = Omit<Line, 'at' | 'judged' | 'journey' | 'experiment'>

/** Tell facts in their order. */
export function tellAll(facts: readonly Fact[]): readonly Line[] {
  return facts.map(tell)
}

/** Tell one fact. */
export function tell(fact: Fact): Line {
  return {
    at: fact.at,
    judged: 'judged' in fact ? (fact.judged ?? []) : [],
    journey: 'journey' in fact ? (fact.journey ?? '') : '',
    experiment: 'experiment' in fact ? fact.experiment : '',
    ...told(fact),
  }
}

function told(fact: Fact): Told {
  switch (fact.type) {
    case 'step':
      return line('steps', MAP.step(fact.name), fact.channel ? SAYS.channel(fact.channel) : '')
    case 'session_started':
      return line('visits', SAYS.session(fact.channel ?? ''))
    case 'session_revised':
      return line('visits', fact.replaces.length < 2 ? SAYS.sessionMoved : SAYS.sessionsJoined(fact.replaces.length))
    case 'session_ended':
      return line('visits', SAYS.sessionOver(fact.n_events, fact.ended_at - fact.started_at))
    case 'identified':
      return line('identity', SAYS.joined(idsOf(fact)), JOINED[fact.how] ?? fact.how)
    case 'identity_refused':
      return line('identity', SAYS.notJoined(fact.other_id), REFUSED_JOIN[fact.reason] ?? fact.reason, 'bad')
    case 'segment_entered':
      return line('segments', SAYS.segmentIn(fact.segment))
    case 'segment_left':
      return line('segments', SAYS.segmentOut(fact.segment))
    case 'consent':
      return line('identity', SAYS.consent(fact.scope, fact.granted), '', fact.granted ? 'good' : 'warn')
    case 'friction':
      return line('friction', SAYS.friction(fact.signal, fact.target ?? ''), `score ${(fact.score ?? 0).toFixed(2)}`, 'bad')
    case 'exposed':
    case 'assignment_conflict':
    case 'rewarded':
      return toldExperiment(fact)
    case 'action':
    case 'action_deferred':
    case 'action_withheld':
    case 'delivery':
      return toldAction(fact)
    default:
      return toldJourney(fact)
  }
}

type Experimental = Extract<Fact, { type: 'exposed' | 'assignment_conflict' | 'rewarded' }>

function toldExperiment(fact: Experimental): Told {
  switch (fact.type) {
    case 'exposed':
      return line('experiments', SAYS.met(fact.experiment, fact.variant), `drawn with a chance of ${Math.round(fact.propensity * 1000) / 10}%`)
    case 'assignment_conflict':
      return line('experiments', SAYS.keeps(fact.experiment, fact.kept, fact.dropped), '', 'warn')
    case 'rewarded':
      return line('experiments', SAYS.rewarded(fact.experiment, fact.variant), '', 'good')
    default:
      return fact satisfies never
  }
}

type Acting = Extract<Fact, { type: 'action' | 'action_deferred' | 'action_withheld' | 'delivery' }>

function toldAction(fact: Acting): Told {
  switch (fact.type) {
    case 'action':
      return line('actions', SAYS.sent(fact.sink), `in ${fact.state}`, 'good')
    case 'action_deferred':
      return line('actions', SAYS.putOff(fact.sink), fact.detail ?? '', 'warn')
    case 'action_withheld':
      return line('actions', SAYS.withheld(fact.sink), whyWithheld(fact.reason, fact.detail), 'warn')
    case 'delivery':
      return fact.outcome === 'delivered'
        ? line('actions', SAYS.delivered(fact.attempts), fact.detail ?? '', 'good')
        : line('actions', SAYS.undelivered(fact.outcome, fact.attempts), fact.detail ?? '', 'bad')
    default:
      return fact satisfies never
  }
}

type Journeying = Extract<
  Fact,
  { type: 'entered' | 'not_entered' | 'transition' | 'migrated' | 'goal' | 'exited' | 'journey_error' }
>

function toldJourney(fact: Journeying): Told {
  switch (fact.type) {
    case 'entered':
      return fact.held_out
        ? line('journeys', SAYS.entered(fact.key ?? ''), SAYS.heldOut(fact.holdout ?? ''), 'warn')
        : line('journeys', SAYS.entered(fact.key ?? ''))
    case 'not_entered':
      return line('journeys', SAYS.notEntered(NOT_ENTERED[fact.reason] ?? fact.reason), fact.detail ?? '', 'warn')
    case 'transition':
      return line('journeys', SAYS.moved(fact.source.join(', '), fact.target.join(', ')), cause(fact.event))
    case 'migrated':
      return line('journeys', SAYS.migrated(fact.version, fact.target.join(', ')))
    case 'goal':
      return line('journeys', fact.after_exit ? SAYS.lateGoal : SAYS.goal(fact.value), '', 'good')
    case 'exited':
      return line('journeys', SAYS.left(EXITED[fact.reason] ?? fact.reason), fact.detail ?? '')
    case 'journey_error':
      return line('journeys', SAYS.wentWrong, fact.detail, 'bad')
    default:
      return fact satisfies never
  }
}

/** Say why an action was not sent; what decided stands behind it. */
export function whyWithheld(reason: string, detail: string | undefined): string {
  const why = WITHHELD[reason] ?? reason
  return detail ? `${why} (${detail})` : why
}

/** Say what moved an enrolment: a timer, an event, what was done; nothing for its beginning and for a branch. */
export function cause(event: string): string {
  const timer = /^after\((.+),(\d+)\)$/.exec(event)
  if (timer) return SAYS.timer(timer[1]!, Number(timer[2]))
  if (event.startsWith('done.state.')) return SAYS.done(event.slice('done.state.'.length))
  return event ? SAYS.event(event) : ''
}

/** Write the values a guard saw: `"pro"` where it reads one thing, which it names; else each with its name. */
export function sawOf(judged: Judged): string {
  const seen = Object.entries(judged.saw ?? {})
  const [first] = seen
  if (first && seen.length === 1 && judged.guard.includes(first[0])) return JSON.stringify(first[1])
  return seen.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(', ')
}

function idsOf(fact: Extract<Fact, { type: 'identified' }>): string {
  return [fact.anonymous_id, fact.user_id].filter(Boolean).join(' and ')
}

function line(topic: Topic, says: string, because = '', tone: Tone = 'plain'): Told {
  return { topic, tone, says, because }
}
