/** A person's answers laid out: ids and how they were joined, visits beside what reached the person, journeys. */

import type { ProfileView, SessionView } from '../../api/schema'
import { JOINED } from '../../text/story'
import type { Fact } from './facts'
import { actionsOf, type ActionStory } from './story'

/** One id of a person. */
export interface KnownId {
  readonly id: string
  readonly kind: 'user' | 'anonymous'
  readonly since: number | null
  readonly how: string
}

/** List ids, users first, each with how it was joined. */
export function idsOf(profile: Pick<ProfileView, 'ids'>): readonly KnownId[] {
  return profile.ids.map(({ id, kind, since, how }) => ({ id, kind, since, how: JOINED[how] ?? how }))
}

/** What a person is called: a name or an address of their traits, or else an id. */
export function nameOf(profile: Pick<ProfileView, 'traits' | 'user_ids' | 'anonymous_ids' | 'id'>): string {
  const traits = profile.traits as Readonly<Record<string, unknown>>
  for (const trait of ['name', 'fullName', 'first_name', 'firstName', 'email']) {
    const value = traits[trait]
    if (typeof value === 'string' && value) return value
  }
  return profile.user_ids[0] ?? profile.anonymous_ids[0] ?? profile.id
}

/** The id by which a person is asked for. */
export function askedId(profile: { readonly user_ids: readonly string[]; readonly anonymous_ids: readonly string[] }): string {
  return profile.user_ids[0] ?? profile.anonymous_ids[0] ?? ''
}

export interface Visits {
  readonly from: number
  readonly to: number
  readonly sessions: readonly SessionView[]
  readonly actions: readonly ActionStory[]
  readonly goals: readonly { readonly at: number; readonly journey: string }[]
}

/** Visits with what reached the person between them; null where nothing is known. */
export function visitsOf(profile: ProfileView): Visits | null {
  const actions = actionsOf(profile.timeline)
  const goals = profile.timeline.filter((fact) => fact.type === 'goal').map(({ at, journey }) => ({ at, journey }))
  const instants = [
    ...profile.sessions.flatMap((session) => [session.started_at, session.ended_at]),
    ...actions.map((action) => action.at),
    ...goals.map((goal) => goal.at),
  ]
  if (instants.length === 0) return null
  return { from: Math.min(...instants), to: Math.max(...instants), sessions: profile.sessions, actions, goals }
}

/** Journeys a person has to do with, those they are in now first; each with when it last moved. */
export function journeysOf(profile: ProfileView): readonly { readonly name: string; readonly isInside: boolean }[] {
  const inside = new Set(profile.enrolments.map((one) => one.journey))
  const met = new Set(profile.timeline.flatMap((fact) => journeyOf(fact)))
  return [...new Set([...inside, ...met])].map((name) => ({ name, isInside: inside.has(name) }))
}

function journeyOf(fact: Fact): readonly string[] {
  return 'journey' in fact && fact.journey ? [fact.journey] : []
}

export interface Drawn {
  readonly experiment: string
  readonly variant: string
  /** The chance with which it was drawn, and when; null where the fact that tells is older than those here. */
  readonly chance: number | null
  readonly at: number | null
  readonly where: string
}

/** The variants a person has, each with the exposure that drew it. */
export function drawnOf(profile: ProfileView): readonly Drawn[] {
  return Object.entries(profile.variants).map(([experiment, variant]) => {
    const met = profile.timeline.find((fact) => fact.type === 'exposed' && fact.experiment === experiment)
    if (met?.type !== 'exposed') return { experiment, variant, chance: null, at: null, where: '' }
    return { experiment, variant, chance: met.propensity, at: met.at, where: met.journey || met.flag || '' }
  })
}
