/** Journeys: what is in force, how it is drawn, who is where, and what holds it still. */

import { call, client, unwrap } from './client'
import type { ChartView, HoldView, InsidePage, JourneyView, PlanView, TrafficView, VersionTextView, VersionView } from './schema'
import { together } from './together'

/** Journeys by name, each with all of its versions. */
export async function listJourneys(): Promise<readonly JourneyView[]> {
  return together(await unwrap(client.GET('/api/v1/journeys')))
}

export function listVersions(name: string): Promise<readonly VersionView[]> {
  return unwrap(client.GET('/api/v1/journeys/{name}/versions', { params: { path: { name } } }))
}

/** Without a version: the one that new people enter. */
export function getChart(name: string, version: string, signal?: AbortSignal): Promise<ChartView> {
  return call('GET', `${path(name)}/chart`, { query: { version }, signal })
}

export function getTraffic(name: string, version: string, signal?: AbortSignal): Promise<TrafficView> {
  return call('GET', `${path(name)}/traffic`, { query: { version }, signal })
}

export function getVersionText(name: string, version: string, signal?: AbortSignal): Promise<VersionTextView> {
  return call('GET', `${path(name)}/versions/${encodeURIComponent(version)}`, { signal })
}

/** People inside, those who came last first; `after` is the `next` of the page before. */
export function listInside(
  name: string, asked: { readonly state?: string; readonly version?: string; readonly after?: string; readonly limit: number }, signal?: AbortSignal,
): Promise<InsidePage> {
  return call('GET', `${path(name)}/people`, { query: asked, signal })
}

export function hold(journey: string, isPaused: boolean): Promise<HoldView> {
  return call('POST', '/api/v1/holds', { body: { name: isPaused ? '$pause' : '$resume', journey } })
}

export function rollback(journey: string, version: string): Promise<PlanView> {
  return call('POST', '/api/v1/rollback', { body: { journey, to: version } })
}

export interface CausalUnit {
  readonly kind: 'everything' | 'channel' | 'journey' | 'state'
  readonly name: string
  readonly people: number
  readonly held: number
  readonly effect: { readonly estimate: number | null; readonly low: number | null; readonly high: number | null }
  readonly verdict: string
}

/** What journeys brought about, by their hold-outs. */
export function askCausal(conversion: string, signal?: AbortSignal): Promise<{ readonly units: readonly CausalUnit[] }> {
  return call('GET', '/api/v1/analytics/causal', { query: { conversion }, signal })
}

function path(name: string): string {
  return `/api/v1/journeys/${encodeURIComponent(name)}`
}
