/** What the map asks the server, and when it asks again. */

import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { ApiError } from '../../api/errors'
import { useMoves } from '../../api/live'
import {
  askDifference, askFriction, askFunnel, askGraph, type DifferenceAnswer, type FrictionFinding, type GraphAnswer, type GraphNode,
} from '../../api/questions'
import { NO_GOAL, selectionOf, type View } from './selection'

/** After something moved, the next look comes at once, and then at most so often. */
const LOOK_MS = 500
/** Friction is a slow question, and changes slowly. */
const FRICTION_MS = 60_000
/** Events that mean success in most catalogues, most telling first: the goal where nobody chose one. */
const LIKELY_GOALS = ['Order Completed', 'Subscription Started', 'Purchase', 'Signed Up']

export interface MapData {
  readonly graph: UseQueryResult<GraphAnswer>
  readonly difference: DifferenceAnswer | undefined
  readonly differenceError: unknown
  readonly findings: readonly FrictionFinding[]
  /** Empty: none. */
  readonly goal: string
}

export function useMapData(view: View): MapData {
  const names = useStepNames()
  const isReady = names !== NONE || view.goal !== ''
  const goal = view.goal === NO_GOAL ? '' : view.goal || LIKELY_GOALS.find((each) => names.includes(each)) || ''
  const asked = { collapse: view.collapse || null, goal: goal ? [goal] : [] }
  const key = [view.by, view.range, view.where, view.did, view.never, asked]
  const graph = useQuery({
    queryKey: ['graph', ...key],
    queryFn: ({ signal }) => askGraph({ ...selectionOf(view, Date.now()), ...trimmed(asked) }, signal),
    enabled: isReady,
    placeholderData: keepPreviousData,
  })
  const difference = useQuery({
    queryKey: ['difference', view.compare, ...key],
    queryFn: ({ signal }) => (
      askDifference({ ...selectionOf(view, Date.now()), ...trimmed(asked), compare: view.compare }, signal)
    ),
    enabled: isReady && view.compare !== '',
    placeholderData: keepPreviousData,
  })
  const friction = useQuery({
    queryKey: ['map-friction', goal],
    queryFn: ({ signal }) => askFriction({ ...(goal ? { goal: [goal] } : {}), limit: 100 }, signal),
    staleTime: FRICTION_MS,
    enabled: graph.isSuccess,
  })
  // A look that is still under way is not thrown away for the next one: it would never come to an end.
  useMoves('progress', () => void graph.refetch({ cancelRefetch: false }), LOOK_MS)
  useNewNames(graph.data, names)
  return useMemo(() => ({
    graph,
    difference: view.compare ? difference.data : undefined,
    differenceError: view.compare ? difference.error : null,
    findings: friction.data?.findings ?? [],
    goal,
  }), [graph, difference.data, difference.error, friction.data, goal, view.compare])
}

/** Look for names anew where the map has a step that none of them is. */
function useNewNames(graph: GraphAnswer | undefined, names: readonly string[]): void {
  const queries = useQueryClient()
  useEffect(() => {
    const known = new Set(names)
    if (graph?.nodes.some((node) => node.kind === 'step' && !known.has(node.name))) {
      void queries.invalidateQueries({ queryKey: ['step-names'] })
    }
  }, [graph, names, queries])
}

/** Every step there is, the most frequent first: what filters and goals are chosen from. */
export function useStepNames(): readonly string[] {
  const all = useQuery({
    queryKey: ['step-names'],
    queryFn: async ({ signal }) => {
      const nodes = await askGraph({ edges: 0, limit: 400 }, signal).then((all) => all.nodes, noNodes)
      const names = nodes.filter((node) => node.kind === 'step').map((node) => node.name)
      sessionStorage.setItem(NAMES_KEY, JSON.stringify(names))
      return names
    },
    staleTime: FRICTION_MS,
    ...keptNames(),
  })
  return all.data ?? NONE
}

const NONE: readonly string[] = []

/** Where nobody did anything yet, there are no steps; the map says so. */
function noNodes(error: unknown): readonly GraphNode[] {
  if (error instanceof ApiError && error.code === 'no-events') return []
  throw error
}

const NAMES_KEY = 'sojourn.steps'

/** Those of the last look in this tab: so that the map need not wait for the names to know its goal. */
function keptNames(): { readonly placeholderData?: string[] } {
  const kept = sessionStorage.getItem(NAMES_KEY)
  return kept ? { placeholderData: JSON.parse(kept) as string[] } : {}
}

/** The values of an attribute among events, the most frequent first: by what the commonest step is broken down. */
export function useValues(attribute: string): readonly string[] {
  const [step] = useStepNames()
  const values = useQuery({
    queryKey: ['values', attribute, step],
    queryFn: ({ signal }) => askFunnel({ step: [step as string], limit: 40, by: attribute }, signal),
    enabled: attribute !== '' && step !== undefined,
    staleTime: FRICTION_MS,
    retry: false,
  })
  return useMemo(
    () => (values.data?.by ?? []).map((part) => part[attribute]).filter((value) => typeof value === 'string'),
    [values.data, attribute],
  )
}

function trimmed<Asked extends { readonly collapse: true | null }>({ collapse, ...others }: Asked) {
  return collapse ? { ...others, collapse } : others
}
