/**
 * Delivery: what is kept goes out in batches, once, however often the network, the server or the page fails.
 *
 * Kept events lie outside, where all tabs of the site see them; one tab at a time sends. Nothing is forgotten before
 * the server has answered for it, so a page that dies leaves its events to the next one. What a dying page sent and
 * could not hear the answer of is sent again; the server knows each event by its `messageId` and keeps it once.
 */

import { cut, nextTry, verdictOf } from './sending'
import { never, type Effect, type Input, type Kept, type Settings } from './types'

/** Longest batch of one request: events, and bytes of them (the server takes 4 MiB). */
export const BATCH_EVENTS = 100
export const BATCH_BYTES = 400_000
/** All requests that outlive a page may have 64 KiB together (Fetch standard, 4.6); the envelope wants some, too. */
export const LAST_BYTES = 60_000

export interface Delivery {
  readonly phase: 'idle' | 'locking' | 'sending'
  /** Under way. */
  readonly sending: readonly string[]
  /** Events kept, as far as this tab knows: since it last looked, and those it added. */
  readonly nKept: number
  /** Names of events that this tab made and nobody has answered for. */
  readonly mine: readonly string[]
  /** Sent as the page was hidden; no answer yet. */
  readonly last: readonly string[]
  readonly isHidden: boolean
  /** Attempts in a row that came to nothing. */
  readonly nFailed: number
  /** Nothing is sent before, ms. */
  readonly notBefore: number
  /** When the timer is set to ring, ms; null: it is not. */
  readonly dueAt: number | null
  /** Events in a batch at most; halved while a batch is refused, until the one that is at fault stands alone. */
  readonly most: number
}

export const IDLE: Delivery = {
  phase: 'idle',
  sending: [],
  nKept: 0,
  mine: [],
  last: [],
  isHidden: false,
  nFailed: 0,
  notBefore: 0,
  dueAt: null,
  most: BATCH_EVENTS,
}

type Step = [Delivery, Effect[]]
type Answered = Extract<Input, { kind: 'answered' }>

/** Take note of an event that was just kept. */
export function added(delivery: Delivery, key: string, at: number, settings: Settings): Step {
  const mine = [...delivery.mine, key].slice(-settings.maxEvents)
  const next = { ...delivery, nKept: delivery.nKept + 1, mine }
  const effects: Effect[] = next.nKept > settings.maxEvents ? [{ kind: 'trim', most: settings.maxEvents }] : []
  if (effects.length) next.nKept = settings.maxEvents
  if (next.isHidden) effects.push({ kind: 'list' })
  const [waiting, wakes] = wakeBy(next, next.nKept >= settings.flushAt ? at : at + settings.flushMs)
  return [waiting, [...effects, ...wakes]]
}

/** Take in what happens to what is kept. */
export function deliver(
  delivery: Delivery,
  input: Exclude<Input, { kind: 'call' | 'reset' | 'consent' | 'person' }>,
  at: number,
): Step {
  switch (input.kind) {
    case 'due':
      return due({ ...delivery, dueAt: null }, at)
    case 'flush':
      return delivery.phase === 'idle' ? lock(delivery) : [delivery, []]
    case 'online':
      return due({ ...delivery, notBefore: 0, nFailed: 0 }, at)
    case 'locked':
      return locked(delivery, input.kept, at)
    case 'answered':
      return answered(delivery, input, at)
    case 'hidden':
      return [{ ...delivery, isHidden: true }, delivery.mine.length ? [{ kind: 'list' }] : []]
    case 'shown':
      return delivery.nKept > 0 ? wakeBy({ ...delivery, isHidden: false }, at) : [{ ...delivery, isHidden: false }, []]
    case 'listed':
      return sendLast(delivery, input.kept)
    default:
      return never(input)
  }
}

/** Have the timer ring, unless it rings sooner anyway; not before sending is allowed again. */
function wakeBy(delivery: Delivery, wanted: number): Step {
  const at = Math.max(wanted, delivery.notBefore)
  if (delivery.phase !== 'idle' || (delivery.dueAt !== null && delivery.dueAt <= at)) return [delivery, []]
  return [{ ...delivery, dueAt: at }, [{ kind: 'wake', at }]]
}

function due(delivery: Delivery, at: number): Step {
  if (delivery.phase !== 'idle') return [delivery, []]
  return at < delivery.notBefore ? wakeBy(delivery, at) : lock(delivery)
}

function lock(delivery: Delivery): Step {
  return [{ ...delivery, phase: 'locking' }, [{ kind: 'lock' }]]
}

function locked(delivery: Delivery, kept: readonly Kept[], at: number): Step {
  const known = { ...delivery, nKept: kept.length, mine: stillKept(delivery.mine, kept) }
  const waiting = kept.filter((one) => !delivery.last.includes(one.key))
  const free = waiting.filter((one) => one.heldUntil <= at)
  if (free.length === 0) return idle(known, waiting.length > 0, Math.min(...waiting.map((one) => one.heldUntil)))
  const keys = cut(free, known.most, BATCH_BYTES)
  return [{ ...known, phase: 'sending', sending: keys }, [{ kind: 'send', keys, isLast: false }]]
}

/** Stop sending; where something waits, until `at`. */
function idle(delivery: Delivery, isWaiting: boolean, at: number): Step {
  const ended: Delivery = { ...delivery, phase: 'idle', sending: [] }
  const said: Effect[] = [{ kind: 'unlock' }, { kind: 'settle', isEmpty: !isWaiting && delivery.last.length === 0 }]
  const [next, wakes] = isWaiting ? wakeBy(ended, at) : [ended, []]
  return [next, [...said, ...wakes]]
}

function answered(delivery: Delivery, answer: Answered, at: number): Step {
  const isLast = answer.keys.some((key) => delivery.last.includes(key))
  const next = { ...delivery, last: without(delivery.last, answer.keys) }
  const verdict = verdictOf(answer.status, answer.keys.length)
  switch (verdict) {
    case 'taken':
      return gone({ ...next, nFailed: 0, notBefore: 0, most: BATCH_EVENTS }, answer.keys, isLast, [])
    case 'drop':
      return gone(next, answer.keys, isLast, [refusal(answer.status)])
    case 'split':
      return goOn({ ...next, most: Math.ceil(answer.keys.length / 2) }, isLast, at)
    case 'later':
    case 'misled':
      return again(next, answer, isLast, at)
    default:
      return never(verdict)
  }
}

/** Forget what was answered for, and look for more. */
function gone(delivery: Delivery, keys: readonly string[], isLast: boolean, said: Effect[]): Step {
  const known = { ...delivery, mine: without(delivery.mine, keys), nKept: Math.max(0, delivery.nKept - keys.length) }
  const [next, effects] = goOn(known, isLast, 0)
  return [next, [...said, { kind: 'forget', keys }, ...effects]]
}

function goOn(delivery: Delivery, isLast: boolean, at: number): Step {
  if (!isLast) return [{ ...delivery, phase: 'locking', sending: [] }, [{ kind: 'look' }]]
  if (delivery.isHidden) return [delivery, delivery.mine.length ? [{ kind: 'list' }] : []]
  return delivery.nKept > 0 ? wakeBy(delivery, at) : [delivery, []]
}

/** Try again later. A tab that heard nothing as it was hidden tries when its timer rings, or when it is shown. */
function again(delivery: Delivery, answer: Answered, isLast: boolean, at: number): Step {
  const nFailed = delivery.nFailed + 1
  const notBefore = at + nextTry(nFailed, answer.retryAfterMs, answer.chance)
  const failed = { ...delivery, nFailed, notBefore }
  const [next, effects] = isLast ? wakeBy(failed, notBefore) : idle(failed, true, notBefore)
  return [next, verdictOf(answer.status, 1) === 'misled' ? [misleading(answer.status), ...effects] : effects]
}

/** Send what is this tab's while there is time: another tab, or the next page, sends the rest. */
function sendLast(delivery: Delivery, kept: readonly Kept[]): Step {
  const isUnderWay = (one: Kept) => delivery.sending.includes(one.key) || delivery.last.includes(one.key)
  const underWay = kept.filter(isUnderWay).reduce((sum, one) => sum + one.bytes, 0)
  // A request that is larger was not made to outlive the page, and takes no room.
  const room = LAST_BYTES - (underWay <= LAST_BYTES ? underWay : 0)
  const mine = kept.filter((one) => delivery.mine.includes(one.key) && !isUnderWay(one) && one.bytes <= room)
  const keys = cut(mine, BATCH_EVENTS, room)
  if (keys.length === 0) return [delivery, []]
  return [{ ...delivery, last: [...delivery.last, ...keys] }, [{ kind: 'send', keys, isLast: true }]]
}

function stillKept(keys: readonly string[], kept: readonly Kept[]): readonly string[] {
  const known = new Set(kept.map((one) => one.key))
  return keys.filter((key) => known.has(key))
}

function without(keys: readonly string[], gone: readonly string[]): readonly string[] {
  return keys.filter((key) => !gone.includes(key))
}

function refusal(status: number): Effect {
  return { kind: 'warn', code: `refused-${status}`, text: `the server will never take an event (${status}); it is dropped` }
}

function misleading(status: number): Effect {
  const text = `the server answers ${status}: look at the host and the write key; events wait meanwhile`
  return { kind: 'warn', code: `misled-${status}`, text }
}
