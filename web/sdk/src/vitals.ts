/**
 * Web vitals: how fast a page came and answered, told once as it is left: `Web Vitals` with `lcp`, `fcp`, `ttfb` and
 * `inp` in ms and `cls` as a number, each where the browser measures it. The rules are those of https://web.dev/vitals.
 */

import type { Properties } from './types'

interface Shift extends PerformanceEntry {
  readonly value: number
  readonly hadRecentInput: boolean
}

interface Interaction extends PerformanceEntry {
  readonly interactionId?: number
}

const SHIFT_GAP_MS = 1_000 // shifts of one session window follow one another so closely,
const SHIFT_WINDOW_MS = 5_000 // and the window is no longer than this
const PER_OUTLIER = 50 // of so many interactions, one slow one is not counted
const MAX_INTERACTIONS = 10 // the slowest ones are enough to find it: 500 interactions

export interface Shifts {
  readonly worst: number
  readonly sum: number
  readonly first: number
  readonly last: number
}

/** Add a layout shift to the session window it belongs to; the worst window is the score. */
export function addShift(shifts: Shifts, value: number, at: number): Shifts {
  const isSame = shifts.sum > 0 && at - shifts.last < SHIFT_GAP_MS && at - shifts.first < SHIFT_WINDOW_MS
  const sum = isSame ? shifts.sum + value : value
  return { worst: Math.max(shifts.worst, sum), sum, first: isSame ? shifts.first : at, last: at }
}

/** Keep the slowest interactions: id -> the longest of its events, ms. */
export function addInteraction(slowest: ReadonlyMap<number, number>, id: number, ms: number): Map<number, number> {
  const all = new Map(slowest).set(id, Math.max(ms, slowest.get(id) ?? 0))
  return new Map([...all].sort((one, other) => other[1] - one[1]).slice(0, MAX_INTERACTIONS))
}

/** Read the interaction to next paint off the slowest ones, of `n` in all; null where there were none. */
export function inpOf(slowest: ReadonlyMap<number, number>, n: number): number | null {
  const times = [...slowest.values()]
  return times[Math.min(times.length - 1, Math.floor(n / PER_OUTLIER))] ?? null
}

/** Begin to measure for a tracker; return what ends it. Where there is no page, nothing begins. */
export function vitals(sojourn: { track: (event: string, properties: Properties) => void }): () => void {
  if (typeof document === 'undefined') return () => {}
  const seen: Record<string, number> = {}
  const ids = new Set<number>()
  let shifts: Shifts = { worst: 0, sum: 0, first: 0, last: 0 }
  let slowest = new Map<number, number>()
  let isTold = false
  // In a tab that nobody saw, the first paint says when somebody came to look. One made ready for a link may become seen.
  const isUnseen = document.visibilityState === 'hidden' && !(document as Document & { prerendering?: boolean }).prerendering
  const interact = (entry: PerformanceEntry) => {
    const id = (entry as Interaction).interactionId
    if (!id) return
    ids.add(id)
    slowest = addInteraction(slowest, id, entry.duration)
  }
  const ends = [
    observe('paint', {}, (entry) => {
      if (!isUnseen && entry.name === 'first-contentful-paint') seen['fcp'] = entry.startTime
    }),
    observe('largest-contentful-paint', {}, (entry) => {
      if (!isUnseen) seen['lcp'] = entry.startTime
    }),
    observe('layout-shift', {}, (entry) => {
      const { value, hadRecentInput, startTime } = entry as Shift
      if (!hadRecentInput) shifts = addShift(shifts, value, startTime)
    }),
    observe('event', { durationThreshold: 40 }, interact),
    observe('first-input', {}, interact), // which is told however short it was: else only slow pages had an answer
  ]
  const tell = () => {
    if (isTold || document.visibilityState !== 'hidden') return
    isTold = true
    ends.forEach((end) => end.flush())
    const { interactionCount } = performance as Performance & { interactionCount?: number }
    const inp = inpOf(slowest, interactionCount || ids.size) // those that are counted, and too short to be told, count
    const hasShifts = PerformanceObserver.supportedEntryTypes?.includes('layout-shift')
    const measured = {
      ...timeToFirstByte(),
      ...Object.fromEntries(Object.entries(seen).map(([name, at]) => [name, sinceStart(at, startOf())])),
      ...(hasShifts && { cls: Math.round(shifts.worst * 10_000) / 10_000 }),
      ...(inp !== null && { inp: Math.round(inp) }),
    }
    if (Object.keys(measured).length) sojourn.track('Web Vitals', measured)
  }
  document.addEventListener('visibilitychange', tell)
  return () => {
    ends.forEach((end) => end.stop())
    document.removeEventListener('visibilitychange', tell)
  }
}

function observe(type: string, more: object, hear: (entry: PerformanceEntry) => void): { stop: () => void; flush: () => void } {
  const none = { stop: () => {}, flush: () => {} }
  if (typeof PerformanceObserver === 'undefined' || !PerformanceObserver.supportedEntryTypes?.includes(type)) return none
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(hear))
  observer.observe({ type, buffered: true, ...more })
  return { stop: () => observer.disconnect(), flush: () => observer.takeRecords().forEach(hear) }
}

/** A page that was made ready unseen begins when it is shown. */
function startOf(): number {
  return navigation()?.activationStart ?? 0
}

function timeToFirstByte(): Properties {
  const entry = navigation()
  return entry && entry.responseStart > 0 ? { ttfb: sinceStart(entry.responseStart, startOf()) } : {}
}

function navigation(): (PerformanceNavigationTiming & { activationStart?: number }) | undefined {
  return performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming | undefined
}

function sinceStart(at: number, start: number): number {
  return Math.round(Math.max(0, at - start))
}
