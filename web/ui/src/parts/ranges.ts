/** Ranges of time, as the address has them and as the server is asked for them. */

import { day } from './format'

/** `since` is `last:7d` (up to now, whenever that is), a day, or empty; `until` is a day, or empty.
 *
 * Days are the reader's, as all instants are that they see; both are in it.
 */
export interface Range {
  readonly since: string
  readonly until: string
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const DAY_MS = 86_400_000

/** Which choice of the picker a range is. */
export function rangeChoice(range: Range, lasts: readonly string[]): string {
  if (range.since.startsWith('last:')) {
    const last = range.since.slice(5)
    return lasts.includes(last) ? last : 'custom'
  }
  return range.since || range.until ? 'custom' : 'all'
}

/** The range of a choice; between two days begins with the last week. */
export function rangeOf(choice: string, now_ms: number): Range {
  if (choice === 'all') return { since: '', until: '' }
  if (choice !== 'custom') return { since: `last:${choice}`, until: '' }
  return { since: day(now_ms - 7 * DAY_MS), until: day(now_ms) }
}

/** What the server is asked for: instants in UTC, to the minute, so that the same view is the same question.
 *
 * In Paris, from `2026-03-01` until `2026-03-02` is from `2026-02-28T23:00:00Z` to before `2026-03-02T23:00:00Z`.
 */
export function askedRange(range: Range, now_ms: number): { readonly since?: string; readonly until?: string } {
  const since = range.since.startsWith('last:') ? lastSince(range.since.slice(5), now_ms) : dayBegins(range.since, 0)
  const until = dayBegins(range.until, 1)
  return { ...(since ? { since } : {}), ...(until ? { until } : {}) }
}

function lastSince(last: string, now_ms: number): string {
  const found = /^(\d+)([mhdw])$/.exec(last)
  if (!found) return ''
  const at = now_ms - Number(found[1]) * (UNIT_MS[found[2] ?? ''] ?? 0)
  return written(new Date(Math.floor(at / 60_000) * 60_000))
}

/** The instant at which a day of the reader's begins, or the one so many days later; empty where it is no day. */
function dayBegins(text: string, later: number): string {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!found) return ''
  const [year, month, date] = found.slice(1).map(Number) as [number, number, number]
  return written(new Date(year, month - 1, date + later))
}

function written(at: Date): string {
  return at.toISOString().replace('.000Z', 'Z')
}
