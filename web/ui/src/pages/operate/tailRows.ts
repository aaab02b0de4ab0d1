/** The live tail of events: what is kept of it while somebody looks, and what is let go. */

import type { TailFilter } from '../../api/operate'
import type { EventHeard } from '../../api/schema'

/** Rows that stay on the page; older ones go. */
export const MAX_ROWS = 300
/** Events that wait while the tail is paused; beyond these the oldest go. */
export const MAX_WAITING = 2_000

export interface TailRow extends EventHeard {
  readonly key: number
}

export interface Tail {
  /** Newest first. */
  readonly rows: readonly TailRow[]
  readonly isPaused: boolean
  /** What came since it was paused, oldest first. */
  readonly waiting: readonly TailRow[]
  /** Events that the server did not send, for there were more than anybody reads. */
  readonly nSkipped: number
  readonly nSeen: number
  /** What was listed, and may come by the stream once more. */
  readonly listed: ReadonlySet<string>
}

export type TailChange =
  | { readonly is: 'came'; readonly events: readonly EventHeard[]; readonly skipped?: number }
  /** Events that the server keeps, newest first: what came before the stream began, or while it was lost. */
  | { readonly is: 'listed'; readonly events: readonly EventHeard[] }
  | { readonly is: 'paused' }
  | { readonly is: 'resumed' }
  | { readonly is: 'cleared' }

export const EMPTY_TAIL: Tail = { rows: [], isPaused: false, waiting: [], nSkipped: 0, nSeen: 0, listed: new Set() }

export function changeTail(tail: Tail, change: TailChange): Tail {
  switch (change.is) {
    case 'came':
      return came(tail, change.events, change.skipped ?? 0)
    case 'listed':
      return listed(tail, change.events)
    case 'paused':
      return { ...tail, isPaused: true }
    case 'resumed':
      return { ...tail, isPaused: false, rows: newest(tail.waiting, tail.rows), waiting: [] }
    case 'cleared':
      return { ...EMPTY_TAIL, isPaused: tail.isPaused, nSeen: tail.nSeen }
    default:
      return change satisfies never
  }
}

function came(tail: Tail, told: readonly EventHeard[], skipped: number): Tail {
  const events = told.filter((event) => !tail.listed.has(nameOf(event)))
  const rows = events.map((event, i) => ({ ...event, key: tail.nSeen + i }))
  const next = { ...tail, nSeen: tail.nSeen + events.length, nSkipped: tail.nSkipped + skipped }
  if (!tail.isPaused) return { ...next, rows: newest(rows, tail.rows) }
  return { ...next, waiting: [...tail.waiting, ...rows].slice(-MAX_WAITING) }
}

/** Put what was listed between what came by the stream, each once. */
function listed(tail: Tail, events: readonly EventHeard[]): Tail {
  const known = new Set([...tail.rows, ...tail.waiting].map(nameOf))
  const fresh = events.filter((event) => !known.has(nameOf(event))).map((event, i) => ({ ...event, key: tail.nSeen + i }))
  const next = { ...tail, nSeen: tail.nSeen + fresh.length, listed: new Set(events.map(nameOf)) }
  if (tail.isPaused) return { ...next, waiting: [...fresh.toReversed(), ...tail.waiting].sort((a, b) => a.at - b.at).slice(-MAX_WAITING) }
  return { ...next, rows: [...tail.rows, ...fresh].sort((a, b) => b.at - a.at).slice(0, MAX_ROWS) }
}

/** What tells one event of the tail from all others. */
function nameOf({ at, message_id, verdict, position, name }: EventHeard): string {
  return JSON.stringify([at, message_id, verdict, position, name])
}

function newest(came: readonly TailRow[], before: readonly TailRow[]): readonly TailRow[] {
  return [...[...came].reverse(), ...before].slice(0, MAX_ROWS)
}

/** Who an event is of: the user id, or else the anonymous one; empty where it has none. */
export function whoOf(event: EventHeard): string {
  return event.user_id ?? event.anonymous_id ?? ''
}

/** Whether an event is one that a filter lets through, as the server does it. */
export function fits(event: EventHeard, { source, name, verdict }: TailFilter): boolean {
  return (!source || event.source === source) && (!name || event.name === name) && (!verdict || event.verdict === verdict)
}
