/** Experiments: which there are, and what each variant did. */

import { call, type Query } from './client'

export function askExperiments<Told>(signal?: AbortSignal): Promise<Told> {
  return call('GET', '/api/v1/experiments', { signal })
}

export function askExperiment<Told>(name: string, query: Query, signal?: AbortSignal): Promise<Told> {
  return call('GET', `/api/v1/experiments/${encodeURIComponent(name)}`, { query, signal })
}
