/** What the map is about, as its address has it: the selection, the goal, and what is compared. */

import { useMemo } from 'react'
import type { Selection } from '../../api/questions'
import { askedRange, type Range } from '../../parts/ranges'
import { oneOf, useAddress, type Address } from '../../parts/url'

export interface View {
  readonly address: Address
  readonly by: 'person' | 'session'
  readonly range: Range
  /** `channel=email`, `channel!=email`. */
  readonly where: readonly string[]
  readonly did: readonly string[]
  readonly never: readonly string[]
  /** `buyers`, `!buyers`. */
  readonly segment: readonly string[]
  /** `checkout=treatment`, `checkout!=treatment`. */
  readonly variant: readonly string[]
  readonly goal: string
  readonly compare: string
  readonly collapse: boolean
  /** A share; empty in the address: as suits the size of the graph. */
  readonly rare: number | null
  readonly tab: Tab
  /** `step:X` or `move:X→Y`. */
  readonly picked: Picked | null
  readonly steps: readonly string[]
}

export type Tab = 'map' | 'sankey' | 'funnel' | 'table'
export type Picked =
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'move'; readonly source: string; readonly target: string }

/** No goal at all; an empty parameter means the goal that is likely. */
export const NO_GOAL = '-'

export function useView(): View {
  const address = useAddress()
  return useMemo(() => readView(address), [address])
}

export function readView(address: Address): View {
  const rare = address.get('rare')
  return {
    address,
    by: oneOf(address.get('by'), ['person', 'session']),
    range: { since: address.get('since'), until: address.get('until') },
    where: address.all('where'),
    did: address.all('did'),
    never: address.all('never'),
    segment: address.all('segment'),
    variant: address.all('variant'),
    goal: address.get('goal'),
    compare: address.get('compare'),
    collapse: address.get('collapse') === 'true',
    rare: rare === '' ? null : Math.min(Math.max(Number(rare) || 0, 0), 1),
    tab: oneOf(address.get('view'), ['map', 'sankey', 'funnel', 'table']),
    picked: readPicked(address.get('at')),
    steps: address.all('step'),
  }
}

export function selectionOf(view: View, now_ms: number): Selection {
  return {
    ...(view.by === 'person' ? {} : { by: view.by }),
    ...askedRange(view.range, now_ms),
    where: view.where, did: view.did, never: view.never, segment: view.segment, variant: view.variant,
  }
}

/** What an answer about the selection is remembered by. */
export function keyOf(view: View): readonly unknown[] {
  return [view.range, ...KINDS.map((kind) => view[kind])]
}

/** Parameters that narrow the map to some people. */
export const KINDS = ['where', 'did', 'never', 'segment', 'variant'] as const
export type Kind = (typeof KINDS)[number]

/** What stands in the place of an attribute where a segment is chosen, or, with its name behind it, an experiment. */
export const SEGMENT = 'segment'
const VARIANT = 'variant:'

export function variantOf(experiment: string): string {
  return `${VARIANT}${experiment}`
}

/** The experiment that is chosen in the place of an attribute; null: none is. */
export function experimentOf(attribute: string): string | null {
  return attribute.startsWith(VARIANT) ? attribute.slice(VARIANT.length) : null
}

/** The parameter that says that something is, or is not, a value. */
export function writeFilter(attribute: string, isNot: boolean, value: string): { readonly kind: Kind; readonly text: string } {
  if (attribute === SEGMENT) return { kind: 'segment', text: `${isNot ? '!' : ''}${value}` }
  const experiment = experimentOf(attribute)
  const sign = isNot ? '!=' : '='
  return experiment === null
    ? { kind: 'where', text: `${attribute}${sign}${value}` }
    : { kind: 'variant', text: `${experiment}${sign}${value}` }
}

/** Read a filter that says what something is: the other way round. */
export function readFilter(kind: 'where' | 'segment' | 'variant', text: string) {
  if (kind === 'segment') return { attribute: SEGMENT, isNot: text.startsWith('!'), value: text.replace(/^!/, '') }
  const isNot = text.includes('!=')
  const at = text.indexOf(isNot ? '!=' : '=')
  const name = text.slice(0, at)
  return { attribute: kind === 'variant' ? variantOf(name) : name, isNot, value: text.slice(at + (isNot ? 2 : 1)) }
}

/** What is compared: `other` is empty where it is with all others; null where it is no two sides, but an instant. */
export function sidesOf(compare: string): { readonly attribute: string; readonly one: string; readonly other: string } | null {
  const at = compare.indexOf('=')
  if (at < 0) return null
  const values = compare.slice(at + 1)
  const colon = values.indexOf(':')
  return { attribute: compare.slice(0, at), one: colon < 0 ? values : values.slice(0, colon), other: colon < 0 ? '' : values.slice(colon + 1) }
}

/** Of the variants of an experiment, what is usually compared: one that is no control, with the control. */
export function usualSides(variants: readonly string[]): readonly [string, string] {
  const control = CONTROLS.find((name) => variants.includes(name)) ?? variants[0] ?? ''
  return [variants.find((name) => name !== control) ?? '', control]
}

/** As the report of an experiment knows them. */
const CONTROLS = ['control', 'none', 'baseline', 'off', 'default']

export function isNarrowed(view: View): boolean {
  return Boolean(KINDS.some((kind) => view[kind].length) || view.range.since || view.range.until)
}

export function writePicked(picked: Picked | null): string {
  if (!picked) return ''
  return picked.kind === 'step' ? `step:${picked.step}` : `move:${picked.source}${ARROW}${picked.target}`
}

export function readPicked(text: string): Picked | null {
  if (text.startsWith('step:')) return { kind: 'step', step: text.slice(5) }
  const [source, target] = text.startsWith('move:') ? text.slice(5).split(ARROW) : []
  return source !== undefined && target !== undefined ? { kind: 'move', source, target } : null
}

const ARROW = '\u2192'
