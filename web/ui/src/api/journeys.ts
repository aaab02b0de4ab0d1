/** Journeys: what is in force, how it is drawn, who is where. */

import { client, unwrap } from './client'
import type { JourneyView, VersionView } from './schema'

export function listJourneys(): Promise<readonly JourneyView[]> {
  return unwrap(client.GET('/api/v1/journeys'))
}

export function listVersions(name: string): Promise<readonly VersionView[]> {
  return unwrap(client.GET('/api/v1/journeys/{name}/versions', { params: { path: { name } } }))
}
