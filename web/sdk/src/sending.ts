/** Sending: which events make a batch, what an answer means, and when to try again. */

import type { Kept } from './types'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 60_000
export const LONGEST_RETRY_AFTER_MS = 900_000 // A quarter of an hour: a page that is open longer may ask once more.

/**
 * - `later`: no answer, or one that passes (overload, a deployment): the same again.
 * - `misled`: nobody here takes events from this key (yet): the same again, and the developer hears of it.
 * - `split`: something in the batch is at fault; `drop`: this event is.
 */
export type Verdict = 'taken' | 'later' | 'misled' | 'split' | 'drop'

/** Judge an answer to a batch of `n` events; status 0: there was none. */
export function verdictOf(status: number, n: number): Verdict {
  if (status >= 200 && status < 300) return 'taken'
  if (status < 400 || status >= 500 || [408, 425, 429].includes(status)) return 'later'
  if ([401, 403, 404, 405].includes(status)) return 'misled'
  return n > 1 ? 'split' : 'drop'
}

/** Say how long to wait after so many failures in a row, ms: doubling, half of it by chance, never under what was asked. */
export function nextTry(nFailed: number, retryAfterMs: number, chance: number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(nFailed, 20))
  return Math.max(Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS), Math.round(most * (0.5 + chance / 2)))
}

/** Read `Retry-After`, seconds or a date; 0 where it says nothing. */
export function readRetryAfter(header: string | null, at: number): number {
  if (!header) return 0
  // Date.parse takes far more for a date than HTTP does: `-5` is one.
  const isDate = /^[A-Za-z]{3}/.test(header)
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : isDate ? Date.parse(header) - at : 0
  return ms > 0 ? ms : 0
}

/** Name the oldest events that fit; one that is too large for any batch goes alone. */
export function cut(kept: readonly Kept[], mostEvents: number, mostBytes: number): readonly string[] {
  const keys: string[] = []
  let bytes = 0
  for (const one of kept) {
    if (keys.length >= mostEvents || (keys.length > 0 && bytes + one.bytes > mostBytes)) break
    bytes += one.bytes
    keys.push(one.key)
  }
  return keys
}
