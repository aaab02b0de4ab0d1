/** Ranges of time, as the address has them and as the server is asked for them. */

/** `since` is `last:7d` (up to now, whenever that is), a day, or empty; `until` is a day, or empty. */
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
  return { since: isoDay(now_ms - 7 * DAY_MS), until: isoDay(now_ms + DAY_MS) }
}

/** What the server is asked for: instants in UTC, to the minute, so that the same view is the same question. */
export function askedRange(range: Range, now_ms: number): { readonly since?: string; readonly until?: string } {
  const since = range.since.startsWith('last:') ? lastSince(range.since.slice(5), now_ms) : range.since
  return { ...(since ? { since } : {}), ...(range.until ? { until: range.until } : {}) }
}

function lastSince(last: string, now_ms: number): string {
  const found = /^(\d+)([mhdw])$/.exec(last)
  if (!found) return ''
  const at = now_ms - Number(found[1]) * (UNIT_MS[found[2] ?? ''] ?? 0)
  return new Date(Math.floor(at / 60_000) * 60_000).toISOString().replace('.000Z', 'Z')
}

function isoDay(at_ms: number): string {
  return new Date(at_ms).toISOString().slice(0, 10)
}
