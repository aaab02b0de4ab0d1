/** What a journey brings about: asked of its hold-outs, by the event that its goal is. */

import { useQuery } from '@tanstack/react-query'
import { askCausal, getChart, type CausalUnit } from '../../api/journeys'

/** Hold-outs tell more by the day, not by the second. */
const STALE_MS = 300_000

/** Undefined: not known yet; null: it did nothing yet, nobody is held out, or there is no goal. */
export function useLift({ name: journey, actions }: { readonly name: string; readonly actions: number }): CausalUnit | null | undefined {
  const hasActed = actions > 0
  const chart = useQuery({
    queryKey: ['chart', journey, ''], queryFn: ({ signal }) => getChart(journey, '', signal), staleTime: STALE_MS, enabled: hasActed,
  })
  const goal = chart.data ? goalEvent(chart.data.goal) : undefined
  const causal = useQuery({
    queryKey: ['causal', goal],
    queryFn: ({ signal }) => askCausal(goal as string, signal),
    enabled: hasActed && Boolean(goal),
    staleTime: STALE_MS,
    retry: false,
  })
  if (!hasActed) return null
  if (chart.isPending || (goal && causal.isPending)) return undefined
  return causal.data?.units.find((unit) => unit.kind === 'journey' && unit.name === journey) ?? null
}

/** The first event of a goal in words: `Order Completed if total > 9 within 7d` is of `Order Completed`. */
export function goalEvent(words: string): string {
  return words.split(/ if | within |, worth | or |, /)[0]?.trim() ?? ''
}

/** Whether the interval leaves zero out. */
export function isClear({ low, high }: CausalUnit['effect']): boolean {
  return low !== null && high !== null && (low > 0 || high < 0)
}
