/**
 * Friction: when clicks are rage, dead, or followed by an error; when somebody turns back at once or leaves a form.
 *
 * Pure: what happened and when, in; whether it is a signal, out. The numbers and the presets are the server's
 * (src/sojourn/definitions/friction_rules.py), so page and server mean the same by the same word.
 */

export interface Click {
  readonly at: number
  readonly target: string
  readonly x: number
  readonly y: number
}

/** When several clicks are one burst, and when the burst is rage. Times are inclusive, ms. */
export interface RageRule {
  readonly count: number
  /** The longest time between two neighbours. */
  readonly gapMs: number
  /** The newest `count` clicks lie within so long; 0: no such rule. */
  readonly windowMs: number
  /** A click outside the window begins a new burst; else the burst goes on. */
  readonly isWindowABorder: boolean
  /** To the click before, or (`box`) the sides of a box around the burst; empty: places do not matter. */
  readonly distance: '' | 'manhattan' | 'euclid' | 'box'
  readonly px: number
  readonly isPxIncluded: boolean
  readonly isSameTarget: boolean
  /** Once told, the next click begins a new burst; else one burst tells once, however long. */
  readonly isRestarted: boolean
}

export interface Burst {
  readonly clicks: readonly Click[]
  readonly box: Box
  readonly isTold: boolean
}

type Box = readonly [left: number, top: number, right: number, bottom: number]

const PLAIN = { windowMs: 0, isWindowABorder: false, isPxIncluded: false, isSameTarget: false, isRestarted: false }

/** Each as read in the sources of the product that it is named after; the versions stand in friction_rules.py. */
export const RAGE_PRESETS = {
  sojourn: { ...PLAIN, count: 3, gapMs: 999, distance: 'euclid', px: 30, isSameTarget: true },
  posthog: { ...PLAIN, count: 3, gapMs: 999, distance: 'manhattan', px: 30 },
  mixpanel: { ...PLAIN, count: 4, gapMs: 999, distance: 'euclid', px: 30, isRestarted: true },
  amplitude: { ...PLAIN, count: 4, gapMs: 999, windowMs: 999, isWindowABorder: true, distance: 'box', px: 50, isPxIncluded: true, isSameTarget: true },
  datadog: { ...PLAIN, count: 3, gapMs: 1_000, windowMs: 1_000, distance: 'euclid', px: 100, isPxIncluded: true, isSameTarget: true },
  openreplay: { ...PLAIN, count: 3, gapMs: 299, distance: '', px: 0, isSameTarget: true },
} as const satisfies Record<string, RageRule>

export type RagePreset = keyof typeof RAGE_PRESETS

/** Take one click in; return the burst it is part of now, and whether the burst has just become rage. */
export function press(burst: Burst | null, click: Click, rule: RageRule): [Burst | null, boolean] {
  if (burst === null || !continues(burst, click, rule)) {
    return [{ clicks: [click], box: [click.x, click.y, click.x, click.y], isTold: false }, false]
  }
  const clicks = [...burst.clicks, click].slice(-rule.count)
  const isRage = !burst.isTold && isRageNow(clicks, rule)
  if (isRage && rule.isRestarted) return [null, true]
  return [{ clicks, box: around(burst.box, click), isTold: burst.isTold || isRage }, isRage]
}

function continues(burst: Burst, click: Click, rule: RageRule): boolean {
  const last = burst.clicks[burst.clicks.length - 1]!
  if (Math.abs(click.at - last.at) > rule.gapMs) return false
  const first = burst.clicks[Math.max(0, burst.clicks.length - rule.count + 1)]!
  if (rule.isWindowABorder && click.at - first.at > rule.windowMs) return false
  if (rule.isSameTarget && click.target !== last.target) return false
  if (!rule.distance) return click.target !== '' && click.target === last.target
  const far = measure(burst, last, click, rule)
  return rule.isPxIncluded ? far <= rule.px : far < rule.px
}

function measure(burst: Burst, last: Click, click: Click, rule: RageRule): number {
  if (rule.distance === 'box') {
    const [left, top, right, bottom] = around(burst.box, click)
    return Math.max(right - left, bottom - top)
  }
  const across = Math.abs(click.x - last.x)
  const down = Math.abs(click.y - last.y)
  return rule.distance === 'manhattan' ? across + down : Math.sqrt(across ** 2 + down ** 2)
}

function isRageNow(clicks: readonly Click[], rule: RageRule): boolean {
  if (clicks.length < rule.count) return false
  return rule.windowMs === 0 || clicks[clicks.length - 1]!.at - clicks[0]!.at <= rule.windowMs
}

function around([left, top, right, bottom]: Box, { x, y }: Click): Box {
  return [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)]
}

/** A click that nothing has answered yet. */
export interface Waiting {
  readonly click: Click
  /** Whether it was answered, by what a page can show. */
  readonly isAnswered: boolean
  readonly hasError: boolean
}

/** So long after a click something in the page changes, or the click is dead (PostHog: 2,500 ms for a mutation). */
export const DEAD_MS = 2_500
/** Scrolling and selecting answer a click only at once (PostHog: 100 ms). */
export const REFLEX_MS = 100
/** An error so soon after a click is the click's (Datadog's actions collect errors as long). */
export const ERROR_MS = 1_000
/** Somebody who is back so soon did not find there what they looked for. */
export const QUICK_BACK_MS = 10_000
/** A form that nobody has touched for so long is left: the web's convention for the end of a visit. */
export const FORM_MS = 1_800_000

/** Take in what may be a click's answer: a change of the page, or a reflex to it. */
export function answer(waiting: Waiting, what: 'change' | 'reflex', at: number): Waiting {
  const took = at - waiting.click.at
  const isInTime = took >= 0 && took <= (what === 'change' ? DEAD_MS : REFLEX_MS)
  return isInTime ? { ...waiting, isAnswered: true } : waiting
}

/** Take in an error; true where it is this click's, the first time. */
export function fail(waiting: Waiting, at: number): [Waiting, boolean] {
  const took = at - waiting.click.at
  const isIts = !waiting.hasError && took >= 0 && took <= ERROR_MS
  return [isIts ? { ...waiting, hasError: true } : waiting, isIts]
}

/** Pages of this visit that matter to turning back: the one before, and this one. */
export interface Trail {
  readonly before: string | null
  readonly here: string
  readonly since: number
}

/** Go to a page; return whence somebody turned back at once, or null. */
export function walk(trail: Trail, page: string, at: number): [Trail, string | null] {
  if (page === trail.here) return [trail, null]
  const isBack = page === trail.before && at - trail.since < QUICK_BACK_MS
  return [{ before: trail.here, here: page, since: at }, isBack ? trail.here : null]
}
