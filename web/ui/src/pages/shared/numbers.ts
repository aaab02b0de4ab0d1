/** Numbers that are told with a sign, with a noun, or as a chance. */

import { COMMON } from '../../text/common'
import { number } from '../../parts/format'

type Maybe = number | null | undefined

/** Write a number with its sign, so that a gain and a loss differ at a glance: `+3`, `−3`. */
export function signed(x: Maybe, write: (x: number) => string = (size) => number(size, 1)): string {
  if (x === null || x === undefined || Number.isNaN(x)) return COMMON.nothing
  return `${x > 0 ? '+' : x < 0 ? '−' : ''}${write(Math.abs(x))}`
}

/** Write an interval; an end that is open says so. */
export function bounds(low: Maybe, high: Maybe, write: (x: number) => string): string {
  const [from, to] = [low ?? null, high ?? null]
  if (from === null) return to === null ? COMMON.nothing : `up to ${write(to)}`
  return to === null ? `from ${write(from)}` : `${write(from)} ${COMMON.to} ${write(to)}`
}

/** Write a p-value: below a thousandth it says no more than that. */
export function chance(p: Maybe): string {
  if (p === null || p === undefined || Number.isNaN(p)) return COMMON.nothing
  return p < 0.001 ? '< 0.001' : p.toFixed(3)
}

/** Write a number and its noun: `1 event`, `1,200 events`, `2 people`. */
export function many(n: number, one: string, several = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : several}`
}
