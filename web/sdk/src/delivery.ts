/**
 * Delivery: what is kept goes out in batches, once, however often the network, the server or the page fails.
 *
 * Kept events lie outside, where all tabs of the site see them. Each tab sends its own; those of a tab that has gone
 * are sent by one of the others, under a lock. Nothing is forgotten before the server has answered for it, so a page
 * that dies loses nothing. What it sent and could not hear the answer of is sent again; the server knows each event by
 * its `messageId`, and keeps it once.
 */

import { cut, LONGEST_RETRY_AFTER_MS, nextTry, verdictOf } from './sending'
import { never, type Effect, type Input, type Kept, type Settings } from './types'

/** Longest batch of one request: events, and bytes of them (the server takes 4 MiB). */
export const BATCH_EVENTS = 100
export const BATCH_BYTES = 400_000
/** All requests that outlive a page may have 64 KiB together (Fetch standard, 4.6); the envelope wants some, too. */
export const LAST_BYTES = 60_000
/** As long as the server waits for a body. */
export const ANSWER_MS = 30_000
/** A tab that sends is given so long before others take it for gone: nearly every answer comes in that time. */
export const SENDING_MS = 5_000

export interface Delivery {
  readonly phase: 'idle' | 'looking' | 'sending'
  /** Whether this tab holds the lock to send what others left, or waits for it: its own events wait for no lock. */
  readonly lock: 'none' | 'asked' | 'held'
  /** Under way. */
  readonly sending: readonly string[]
  /** Sent as the page was hidden; no answer yet. */
  readonly last: readonly string[]
  /** Events of this tab that are kept, as far as it knows. */
  readonly nKept: number
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
  lock: 'none',
  sending: [],
  last: [],
  nKept: 0,
  isHidden: false,
  nFailed: 0,
  notBefore: 0,
  dueAt: null,
  most: BATCH_EVENTS,
}

type Step = [Delivery, Effect[]]
type Answered = Extract<Input, { kind: 'answered' }>

/** Take note of an event that was just kept. */
export function added(delivery: Delivery, at: number, settings: Settings): Step {
  const isFull = delivery.nKept >= settings.maxEvents
  const next = { ...delivery, nKept: isFull ? delivery.nKept : delivery.nKept + 1 }
  const effects: Effect[] = isFull ? [{ kind: 'trim', most: settings.maxEvents }] : []
  if (next.isHidden && at >= allowedAt(next, at)) effects.push({ kind: 'list' })
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
      return delivery.phase === 'idle' ? look(delivery) : [delivery, []]
    case 'online':
      return due({ ...delivery, notBefore: 0, nFailed: 0 }, at)
    case 'looked':
      return looked(input.isLocked ? { ...delivery, lock: 'held' } : delivery, input.kept, at)
    case 'answered':
      return answered(delivery, input, at)
    case 'hidden':
      return [{ ...delivery, isHidden: true }, input.isLeaving ? [{ kind: 'claim', until: 0 }, { kind: 'list' }] : [{ kind: 'list' }]]
    case 'shown':
      return wakeBy({ ...delivery, isHidden: false }, at)
    case 'listed':
      return sendLast(delivery, input.kept)
    default:
      return never(input)
  }
}

/** Say from when on sending is allowed, ms. A wait that nothing imposes is a clock's that was set back. */
function allowedAt({ notBefore }: Delivery, at: number): number {
  return notBefore > at + LONGEST_RETRY_AFTER_MS ? 0 : notBefore
}

/** Have the timer ring, unless it rings sooner anyway; not before sending is allowed again. */
export function wakeBy(delivery: Delivery, wanted: number): Step {
  const at = Math.max(wanted, allowedAt(delivery, wanted))
  if (delivery.phase !== 'idle' || (delivery.dueAt !== null && delivery.dueAt <= at)) return [delivery, []]
  return [{ ...delivery, dueAt: at }, [{ kind: 'wake', at }]]
}

function due(delivery: Delivery, at: number): Step {
  if (delivery.phase !== 'idle') return [delivery, []]
  return at < allowedAt(delivery, at) ? wakeBy(delivery, at) : look(delivery)
}

function look(delivery: Delivery): Step {
  return [{ ...delivery, phase: 'looking', sending: [] }, [{ kind: 'look' }]]
}

/** Send what is there to be sent: this tab's own, and under the lock also what others left. */
function looked(delivery: Delivery, kept: readonly Kept[], at: number): Step {
  if (delivery.phase === 'sending') return [delivery, []] // the lock came meanwhile; the next look is soon
  const known = { ...delivery, nKept: kept.filter(isMine).length }
  const waiting = kept.filter((one) => !delivery.last.includes(one.key))
  const free = waiting.filter((one) => one.heldUntil <= at)
  const ours = delivery.lock === 'held' ? free : free.filter(isMine)
  if (ours.length > 0) {
    const keys = cut(ours, known.most, BATCH_BYTES)
    const claim: Effect = { kind: 'claim', until: at + SENDING_MS }
    return [{ ...known, phase: 'sending', sending: keys }, [claim, { kind: 'send', keys, isLast: false }]]
  }
  if (free.length === 0) return idle(known, waiting.length > 0, Math.min(...waiting.map((one) => one.heldUntil)))
  const [next, effects] = idle({ ...known, lock: 'asked' }, false, at)
  return [next, delivery.lock === 'none' ? [...effects, { kind: 'lock' }] : effects]
}

function isMine(one: Kept): boolean {
  return one.heldUntil === 0
}

/** Stop sending; where something waits, until `at`. */
function idle(delivery: Delivery, isWaiting: boolean, at: number): Step {
  const isHeld = delivery.lock === 'held'
  const ended: Delivery = { ...delivery, phase: 'idle', sending: [], lock: isHeld ? 'none' : delivery.lock }
  const said: Effect[] = [
    ...(isHeld ? [{ kind: 'unlock' } as const] : []),
    ...(delivery.nKept === 0 ? [{ kind: 'claim', until: 0 } as const] : []),
    { kind: 'settle', isEmpty: delivery.nKept === 0 },
  ]
  const [next, wakes] = isWaiting ? wakeBy(ended, at) : [ended, []]
  return [next, [...said, ...wakes]]
}

function answered(delivery: Delivery, answer: Answered, at: number): Step {
  const isLast = answer.keys.some((key) => delivery.last.includes(key))
  const next = { ...delivery, last: delivery.last.filter((key) => !answer.keys.includes(key)) }
  const verdict = verdictOf(answer.status, answer.keys.length)
  switch (verdict) {
    case 'taken':
      return gone({ ...next, nFailed: 0, notBefore: 0, most: BATCH_EVENTS }, answer.keys, isLast, at)
    case 'drop':
      return first(refusal(answer.status), gone(next, answer.keys, isLast, at))
    case 'split':
      return goOn({ ...next, most: Math.ceil(answer.keys.length / 2) }, isLast, at)
    case 'later':
      return again(next, answer, isLast, at)
    case 'misled':
      return first(misleading(answer.status), again(next, answer, isLast, at))
    default:
      return never(verdict)
  }
}

/** Forget what was answered for, and look for more. */
function gone(delivery: Delivery, keys: readonly string[], isLast: boolean, at: number): Step {
  return first({ kind: 'forget', keys }, goOn(delivery, isLast, at))
}

function first(effect: Effect, [delivery, effects]: Step): Step {
  return [delivery, [effect, ...effects]]
}

function goOn(delivery: Delivery, isLast: boolean, at: number): Step {
  if (!isLast) return look(delivery)
  return delivery.isHidden ? [delivery, [{ kind: 'list' }]] : wakeBy(delivery, at)
}

/** Try again later, and say so to the other tabs. */
function again(delivery: Delivery, answer: Answered, isLast: boolean, at: number): Step {
  const nFailed = delivery.nFailed + 1
  const notBefore = at + nextTry(nFailed, answer.retryAfterMs, answer.chance)
  const failed = { ...delivery, nFailed, notBefore }
  return first({ kind: 'claim', until: notBefore }, isLast ? wakeBy(failed, notBefore) : idle(failed, true, notBefore))
}

/** Send what is this tab's while there is time, in a request that outlives the page. */
function sendLast(delivery: Delivery, kept: readonly Kept[]): Step {
  const isUnderWay = (one: Kept) => delivery.sending.includes(one.key) || delivery.last.includes(one.key)
  const underWay = kept.filter(isUnderWay).reduce((sum, one) => sum + one.bytes, 0)
  // A request that is larger was not made to outlive the page, and takes no room.
  const room = LAST_BYTES - (underWay <= LAST_BYTES ? underWay : 0)
  const mine = kept.filter((one) => isMine(one) && !isUnderWay(one) && one.bytes <= room)
  const keys = cut(mine, delivery.most, room)
  if (keys.length === 0) return [delivery, []]
  return [{ ...delivery, last: [...delivery.last, ...keys] }, [{ kind: 'send', keys, isLast: true }]]
}

function refusal(status: number): Effect {
  return { kind: 'warn', code: `refused-${status}`, text: `the server answers ${status}: an event is dropped` }
}

function misleading(status: number): Effect {
  const text = `the server answers ${status}: look at host and write key; events wait`
  return { kind: 'warn', code: `misled-${status}`, text }
}
