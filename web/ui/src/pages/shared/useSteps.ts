/** The names of events people did: what fields for events offer. */

import { useQuery } from '@tanstack/react-query'
import { askGraph } from '../../api/questions'
import { PATIENT } from './patience'

/** Names of events change seldom. */
const FRESH_MS = 300_000
const MOST = 200

/** The most frequent first. */
export function useSteps(): { readonly steps: readonly string[]; readonly isKnown: boolean } {
  const graph = useQuery({
    queryKey: ['steps'], queryFn: ({ signal }) => askGraph({ limit: MOST, edges: 1 }, signal), staleTime: FRESH_MS, ...PATIENT,
  })
  const steps = (graph.data?.nodes ?? []).filter((node) => node.kind === 'step').map((node) => node.name)
  return { steps, isKnown: !graph.isPending }
}
