/** What is said of a person's facts: why a journey sent something, or did not. */

import { duration } from '../parts/format'
import { many } from '../pages/shared/numbers'

/** Why an action was not sent, as a support engineer would tell the person. */
export const WITHHELD: Readonly<Record<string, string>> = {
  'held-out': 'Kept back by a hold-out: this person is in the control group, so that the effect of sending can be measured.',
  history: 'Decided while past events were imported. An import sends nothing.',
  template: 'The message could not be filled in: something it needs is missing or has the wrong type.',
  consent: 'The person has not allowed this channel or topic.',
  cap: 'The person had already got as many messages as the policy allows.',
  'quiet-hours': 'It fell in quiet hours, and afterwards it would have been too late.',
  left: 'The person had left the journey before it could be sent.',
  bound: 'A safety bound was reached.',
  expired: 'It was no longer worth sending when its turn came.',
}

/** The same in two words, for a badge. */
export const WITHHELD_SHORT: Readonly<Record<string, string>> = {
  'held-out': 'held out',
  history: 'imported',
  template: 'not filled in',
  consent: 'no consent',
  cap: 'cap reached',
  'quiet-hours': 'quiet hours',
  left: 'had left',
  bound: 'bound reached',
  expired: 'expired',
}

/** Why somebody did not enter a journey. */
export const NOT_ENTERED: Readonly<Record<string, string>> = {
  'already-in': 'is in it already',
  're-entry': 'had been in it before, and it lets nobody in again',
  cooldown: 'was in it too recently',
  excluded: 'is in another journey of the same group',
  paused: 'the journey was paused',
  'no-key': 'the event had no value for the journey’s key',
  bound: 'a safety bound was reached',
}

/** Why somebody left a journey. */
export const EXITED: Readonly<Record<string, string>> = {
  final: 'went through to the end',
  goal: 'reached the goal',
  exit: 'an exit rule applied',
  merged: 'two lives became one person, who stays in the other enrolment',
  withdrawn: 'its version was withdrawn',
  preempted: 'another journey took over',
  parent: 'the journey that called it was left',
}

/** How an id was tied to a person. */
export const JOINED: Readonly<Record<string, string>> = {
  'first-seen': 'first seen with it',
  identify: 'signed in: an identify call named the device’s user',
  both_ids: 'one event carried both ids',
  alias: 'an alias call joined the two',
  merged: 'two lives became one person',
  earlier: 'joined before the facts that are kept here',
  unalias: 'an unalias call parted the two',
}

export const REFUSED_JOIN: Readonly<Record<string, string>> = {
  'merge-limit': 'this person has as many ids as one may have',
  'shared-device': 'the device is used by several people',
  'self-alias': 'it is an alias of itself',
}

export const OUTCOME = {
  sent: 'On its way',
  delivered: 'Delivered',
  failed: 'Failed',
  expired: 'Expired',
  withheld: 'Not sent',
  deferred: 'Put off',
} as const

export const SAYS = {
  entered: (key: string) => (key ? `Entered, for ${key}` : 'Entered'),
  heldOut: (which: string) => `Kept back by a hold-out${which ? ` (${which})` : ''}: nothing will be sent, so that the effect can be measured`,
  goal: (value: number | null | undefined) => (value == null ? 'Reached the goal' : `Reached the goal, worth ${value}`),
  lateGoal: 'Reached the goal after leaving, still within its window',
  left: (why: string) => `Left: ${why}`,
  moved: (from: string, to: string) => (from ? `${from} → ${to}` : `Began in ${to}`),
  migrated: (version: string, to: string) => `Moved to version ${version}, in ${to}`,
  wentWrong: 'A guard or an assignment failed; the journey went on as if it were false',
  sent: (sink: string) => `Sent to ${sink}`,
  putOff: (sink: string) => `For ${sink}: put off until quiet hours are over`,
  withheld: (sink: string) => `Not sent to ${sink}`,
  delivered: (attempts: number) => `Delivered after ${many(attempts, 'attempt')}`,
  undelivered: (outcome: string, attempts: number) => `${outcome === 'expired' ? 'Expired' : 'Given up'} after ${many(attempts, 'attempt')}`,
  notEntered: (why: string) => `Did not enter: ${why}`,
  met: (experiment: string, variant: string) => `Met experiment ${experiment}: got ${variant}`,
  keeps: (experiment: string, kept: string, dropped: string) => `Keeps ${kept} of ${experiment}; had met ${dropped}, too`,
  rewarded: (experiment: string, variant: string) => `Counts as a reward for ${variant} of ${experiment}`,
  session: (channel: string) => (channel ? `Visit began, channel ${channel}` : 'Visit began'),
  channel: (channel: string) => `channel ${channel}`,
  sessionMoved: 'A late event moved the visit’s start',
  sessionsJoined: (n: number) => `${n} visits turned out to be one`,
  sessionOver: (n: number, ms: number) => `Visit was over: ${many(n, 'event')} in ${duration(ms)}`,
  joined: (ids: string) => `Known from here on: ${ids}`,
  notJoined: (id: string) => `Was not joined with ${id}`,
  segmentIn: (segment: string) => `Joined segment ${segment}`,
  segmentOut: (segment: string) => `Left segment ${segment}`,
  consent: (scope: string, granted: boolean) => `${granted ? 'Allowed' : 'Forbade'} ${scope}`,
  friction: (signal: string, target: string) => `Friction: ${signal.replaceAll('_', ' ')}${target ? ` at ${target}` : ''}`,
  timer: (state: string, ms: number) => `${duration(ms)} passed in ${state}`,
  done: (state: string) => `${state} was finished`,
  event: (name: string) => `${name} happened`,
  branch: 'Decided at once',
} as const

/** One run of a journey in a line. */
export const HEADLINE = {
  heldOut: 'Kept back by a hold-out: got nothing on purpose.',
  sent: (n: number) => `Got ${many(n, 'message')}.`,
  none: 'Got nothing.',
  withheld: (n: number) => `${many(n, 'message')} ${n === 1 ? 'was' : 'were'} not sent.`,
  failed: (n: number) => `${many(n, 'message')} could not be delivered.`,
  onWay: (n: number) => `${many(n, 'message')} ${n === 1 ? 'is' : 'are'} on the way.`,
  goal: 'Reached the goal.',
  waits: 'Is still inside.',
} as const
