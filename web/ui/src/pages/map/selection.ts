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
    where: view.where, did: view.did, never: view.never,
  }
}

export function isNarrowed(view: View): boolean {
  return Boolean(view.where.length || view.did.length || view.never.length || view.range.since || view.range.until)
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
