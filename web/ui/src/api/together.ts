/** A journey's versions, counted as one journey: after a change is published, people stand in two of them. */

import type { JourneyView } from './schema'

/** One view for each name, in the order they come: the version that new people enter, and the counts of all. */
export function together(versions: readonly JourneyView[]): readonly JourneyView[] {
  const found = new Map<string, JourneyView>()
  for (const each of versions) {
    const before = found.get(each.name)
    found.set(each.name, before ? both(before, each) : each)
  }
  return [...found.values()]
}

function both(one: JourneyView, other: JourneyView): JourneyView {
  const entered = one.is_open ? one : other
  const states = { ...one.states }
  for (const [state, n] of Object.entries(other.states)) states[state] = (states[state] ?? 0) + n
  return {
    name: one.name, version: entered.version, states,
    is_open: one.is_open || other.is_open,
    is_paused: one.is_paused || other.is_paused,
    entered: one.entered + other.entered,
    exited: one.exited + other.exited,
    goals: one.goals + other.goals,
    actions: one.actions + other.actions,
    withheld: one.withheld + other.withheld,
  }
}
