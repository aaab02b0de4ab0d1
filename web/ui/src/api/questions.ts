/** Questions about what people did: each is a path, and its answer is JSON whose fields are told here.
 *
 * What the numbers mean stands in `docs/reference/analytics.md`; the answers carry it too, as `definition`.
 */

import { call, type Query } from './client'

/** Whose events, and when: what a question about the graph can be narrowed to. */
export interface Narrowing {
  readonly since?: string
  readonly until?: string
  readonly where?: readonly string[]
  readonly did?: readonly string[]
  readonly never?: readonly string[]
  /** `buyers`, `buyers|lapsed`, or `!buyers`: who was in it at some instant of the time. */
  readonly segment?: readonly string[]
  /** `checkout=treatment`, or `checkout!=control`: who met it first, and what they did from then on. */
  readonly variant?: readonly string[]
}

export interface Selection extends Narrowing {
  readonly by?: 'person' | 'session'
}

export interface GraphNode {
  readonly name: string
  readonly kind: 'step' | 'other'
  readonly count: number
  readonly people: number
  readonly sessions: number | null
  readonly share: number
  readonly starts: number
  readonly ends: number
  readonly repeats: number
  readonly returns: number
  readonly dwell_p50_ms: number | null
  readonly dwell_p90_ms: number | null
  readonly converted?: number | null
  readonly conversion?: number | null
  readonly steps_to_convert?: number | null
}

export type Direction = 'forward' | 'skip' | 'back' | 'same' | 'repeat'

export interface GraphEdge {
  readonly source: string
  readonly target: string
  readonly kind: 'step' | 'other'
  readonly count: number
  readonly people: number
  readonly share: number
  /** Null where one of the two has no rank. */
  readonly direction: Direction | null
  readonly dwell_p50_ms: number | null
  readonly dwell_p90_ms: number | null
}

export interface GraphAnswer {
  readonly definition: { readonly n_events: number; readonly n_people: number; readonly n_cases: number; readonly selection: string }
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** One move, as often in the one group and in the other: shares of their people, and the difference with its interval. */
export interface DifferenceEdge {
  readonly source: string
  readonly target: string
  readonly share_one: number
  readonly share_other: number
  readonly difference: number
  readonly low: number | null
  readonly high: number | null
  readonly people: number
  readonly p: number | null
  readonly q: number | null
  readonly is_real: boolean
}

export interface DifferenceAnswer {
  readonly definition: { readonly n_one: number; readonly n_other: number; readonly one: string; readonly other: string }
  readonly edges: readonly DifferenceEdge[]
}

export interface FrictionFinding {
  readonly kind: 'standing' | 'incident'
  readonly signal: string
  readonly steps: readonly string[]
  readonly people: number
  readonly at_risk: number
  readonly share: number
}

export interface FunnelStep {
  readonly step: string
  readonly count: number
  readonly people: number
  readonly dropped: number
  readonly from_start: ShareOf
  readonly from_previous: ShareOf
}

export interface ShareOf {
  readonly count: number
  readonly of: number
  readonly share: number
  readonly low: number
  readonly high: number
}

export interface FunnelAnswer {
  readonly steps: readonly FunnelStep[]
  /** Where it was broken down: a row for each value and step, the attribute by its own name. */
  readonly by?: readonly Readonly<Record<string, string | number | null>>[]
}

/** Where people go after a step, in columns of one step each. */
export interface FlowsAnswer {
  readonly definition: { readonly n_cases: number; readonly around: string }
  readonly nodes: readonly { readonly column: number; readonly kind: FlowKind; readonly name: string | null; readonly count: number }[]
  readonly links: readonly {
    readonly column: number
    readonly source_kind: FlowKind
    readonly source: string | null
    readonly target_kind: FlowKind
    readonly target: string | null
    readonly count: number
  }[]
}

/** `ended`: they did nothing more. `other`: the rarer steps together. */
export type FlowKind = 'step' | 'other' | 'ended'

export interface PeopleAnswer {
  readonly n: number
  readonly items: readonly { readonly id: string; readonly session: string | null; readonly at: number; readonly channel: string | null }[]
  readonly is_cut: boolean
}

interface GraphAsking extends Selection {
  readonly goal?: readonly string[]
  readonly collapse?: boolean
  readonly limit?: number
  readonly edges?: number
  /** Step rules, as YAML. */
  readonly steps?: string
}

export function askGraph(asked: GraphAsking, signal?: AbortSignal): Promise<GraphAnswer> {
  return ask('graph', asked, signal)
}

/** `compare` is `channel=email:direct`, `channel=email` for all others, `variant:EXPERIMENT=A:B`, `segment=A:B`, or an instant. */
export function askDifference(asked: GraphAsking & { readonly compare: string }, signal?: AbortSignal): Promise<DifferenceAnswer> {
  return ask('graph', asked, signal)
}

export function askFriction(asked: { readonly goal?: readonly string[]; readonly limit?: number }, signal?: AbortSignal): Promise<{ readonly findings: readonly FrictionFinding[] }> {
  return ask('friction', asked, signal)
}

/** `from` is the step that is followed, `columns` how far, `limit` how many steps a column tells apart. */
export function askFlows(
  asked: Narrowing & { readonly from: string; readonly columns: number; readonly limit: number; readonly collapse?: boolean },
  signal?: AbortSignal,
): Promise<FlowsAnswer> {
  return ask('paths', asked, signal)
}

/** `by` is an attribute to break it down by. */
export function askFunnel(asked: Narrowing & { readonly by?: string; readonly step: readonly string[]; readonly within?: string; readonly limit?: number }, signal?: AbortSignal): Promise<FunnelAnswer> {
  return ask('funnel', asked, signal)
}

/** People and sessions behind a step, or behind the move from one step to another. */
export function askPeople(
  asked: Selection & ({ readonly step: string } | { readonly from: string; readonly to: string }) & { readonly limit?: number },
  signal?: AbortSignal,
): Promise<PeopleAnswer> {
  return ask('people', asked, signal)
}

export interface SegmentsAnswer {
  readonly segments: readonly { readonly segment: string; readonly people: number }[]
}

/** Every segment that anybody was ever in. */
export function askSegments(signal?: AbortSignal): Promise<SegmentsAnswer> {
  return call('GET', '/api/v1/segments', { signal })
}

/** Ask any question by the name of its path; `asked` has its parameters. */
export function ask<Told>(question: string, asked: object, signal?: AbortSignal): Promise<Told> {
  return call('GET', `/api/v1/analytics/${question}`, { query: asked as Query, signal })
}
