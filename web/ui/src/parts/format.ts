/** How numbers, shares and times are written. */

import { COMMON } from '../text/common'

const WHOLE = new Intl.NumberFormat('en')
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Maybe = number | null | undefined

/** `12345` is `12,345`. */
export function count(n: Maybe): string {
  return isMissing(n) ? COMMON.nothing : WHOLE.format(n)
}

/** `12345` is `12.3K`: where room is scarce. */
export function shortCount(n: Maybe): string {
  return isMissing(n) ? COMMON.nothing : SHORT.format(n)
}

/** `0.1234` is `12.3%`; what is under a thousandth is `<0.1%`. */
export function share(x: Maybe, digits = 1): string {
  if (isMissing(x)) return COMMON.nothing
  const least = 10 ** -(digits + 2)
  if (x !== 0 && Math.abs(x) < least) return `<${(least * 100).toFixed(digits)}%`
  const text = (x * 100).toFixed(digits)
  return `${text.replace(/\.0+$/, '')}%`
}

/** A difference of shares in percentage points: `+1.2 pp`. */
export function points(x: Maybe, digits = 1): string {
  return isMissing(x) ? COMMON.nothing : `${x > 0 ? '+' : x < 0 ? '−' : ''}${(Math.abs(x) * 100).toFixed(digits)} pp`
}

/** `4.5678` is `4.57`, `1234.5` is `1,235`. */
export function number(x: Maybe, digits = 2): string {
  if (isMissing(x)) return COMMON.nothing
  return Math.abs(x) >= 1_000 ? WHOLE.format(Math.round(x)) : String(Number(x.toFixed(digits)))
}

/** An interval with the same words everywhere: `12% to 19%`. */
export function interval(low: Maybe, high: Maybe, write: (x: Maybe) => string = share): string {
  return isMissing(low) || isMissing(high) ? '' : `${write(low)} ${COMMON.to} ${write(high)}`
}

/** A duration, by its two largest units: `3h 20m`, `850ms`. */
export function duration(ms: Maybe): string {
  if (isMissing(ms)) return COMMON.nothing
  if (ms < SECOND) return `${Math.round(ms)}ms`
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)}s`
  if (ms < MINUTE) return `${Math.round(ms / SECOND)}s`
  if (ms < HOUR) return two(ms, MINUTE, 'm', SECOND, 's')
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'm')
  return two(ms, DAY, 'd', HOUR, 'h')
}

/** An instant by the reader's clock: `2026-03-01 09:30:05`. */
export function instant(at_ms: Maybe, hasSeconds = true): string {
  if (isMissing(at_ms)) return COMMON.nothing
  const at = new Date(at_ms)
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}${hasSeconds ? `:${pad(at.getSeconds())}` : ''}`
  return `${day(at_ms)} ${time}`
}

/** A day by the reader's clock: `2026-03-01`. */
export function day(at_ms: number): string {
  const at = new Date(at_ms)
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
}

/** How long ago, in one unit: `now`, `40s ago`, `3d ago`; what is to come is `in 2h`. */
export function ago(at_ms: Maybe, now_ms: number): string {
  if (isMissing(at_ms)) return COMMON.nothing
  const apart = Math.abs(now_ms - at_ms)
  if (apart < 5 * SECOND) return 'now'
  const [unit, letter] = apart < MINUTE ? [SECOND, 's'] : apart < HOUR ? [MINUTE, 'm'] : apart < DAY ? [HOUR, 'h'] : [DAY, 'd']
  const text = `${Math.floor(apart / (unit as number))}${letter}`
  return at_ms > now_ms ? `in ${text}` : `${text} ago`
}

function two(ms: number, unit: number, name: string, less: number, lessName: string): string {
  const whole = Math.floor(ms / unit)
  const rest = Math.floor((ms - whole * unit) / less)
  return rest && whole < 100 ? `${whole}${name} ${rest}${lessName}` : `${whole}${name}`
}

function pad(n: number): string {
  return String(n).padStart(2, '0')
}

function isMissing(x: Maybe): x is null | undefined {
  return x === null || x === undefined || Number.isNaN(x)
}
