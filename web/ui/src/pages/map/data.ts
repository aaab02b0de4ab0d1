/** What the map asks the server, and when it asks again. */

import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { ApiError } from '../../api/errors'
import { askExperiments } from '../../api/experiments'
import { useMoves } from '../../api/live'
import {
  askDifference, askFriction, askFunnel, askGraph, askSegments, type DifferenceAnswer, type FrictionFinding, type GraphAnswer, type GraphNode,
} from '../../api/questions'
import { experimentOf, keyOf, NO_GOAL, SEGMENT, selectionOf, type View } from './selection'

/** After something moved, the next look comes at once, and then at most so often. */
const LOOK_MS = 500
/** Comparing is a slower question, and one that is read for longer. */
const COMPARE_MS = 2_000
/** Friction is a slow question, and changes slowly; so do the names of steps. */
const SLOW_MS = 300_000
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
  const key = [view.by, ...keyOf(view), asked]
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
    queryFn: async ({ signal }) => keep(`friction.${goal}`, await askFriction({ ...(goal ? { goal: [goal] } : {}), limit: 100 }, signal)),
    staleTime: SLOW_MS,
    enabled: graph.isSuccess && !graph.isPlaceholderData,
    ...kept<{ findings: readonly FrictionFinding[] }>(`friction.${goal}`),
  })
  // A look that is still under way is not thrown away for the next one: it would never come to an end.
  useMoves('progress', () => void graph.refetch({ cancelRefetch: false }), LOOK_MS)
  useMoves('progress', () => void difference.refetch({ cancelRefetch: false }), COMPARE_MS, isReady && view.compare !== '')
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
      return keep('steps', nodes.filter((node) => node.kind === 'step').map((node) => node.name))
    },
    staleTime: SLOW_MS,
    ...kept<string[]>('steps'),
  })
  return all.data ?? NONE
}

const NONE: readonly string[] = []

/** Where nobody did anything yet, there are no steps; the map says so. */
function noNodes(error: unknown): readonly GraphNode[] {
  if (error instanceof ApiError && error.code === 'no-events') return []
  throw error
}

/** Keep an answer in the tab, so that the next look begins with it, and the map need not wait behind it. */
function keep<Told>(name: string, told: Told): Told {
  sessionStorage.setItem(`sojourn.${name}`, JSON.stringify({ at_ms: Date.now(), told }))
  return told
}

function kept<Told>(name: string): { readonly initialData?: Told; readonly initialDataUpdatedAt?: number } {
  const text = sessionStorage.getItem(`sojourn.${name}`)
  if (!text) return {}
  const { at_ms, told } = JSON.parse(text) as { readonly at_ms: number; readonly told: Told }
  return { initialData: told, initialDataUpdatedAt: at_ms }
}

/** Segments anybody was ever in, and experiments anybody met: name -> its variants. */
export interface Belongings {
  readonly segments: readonly string[]
  readonly experiments: ReadonlyMap<string, readonly string[]>
}

export function useBelongings(): Belongings {
  const segments = useQuery({ queryKey: ['segments'], queryFn: ({ signal }) => askSegments(signal), staleTime: SLOW_MS, retry: false })
  const experiments = useQuery({
    queryKey: ['experiment-arms'], queryFn: ({ signal }) => askExperiments<Listing>(signal), staleTime: SLOW_MS, retry: false,
  })
  return useMemo(() => ({
    segments: (segments.data?.segments ?? []).map((each) => each.segment),
    experiments: new Map((experiments.data?.experiments ?? []).map((each) => [each.experiment, Object.keys(each.variants)])),
  }), [segments.data, experiments.data])
}

interface Listing {
  readonly experiments: readonly { readonly experiment: string; readonly variants: Readonly<Record<string, number>> }[]
}

/** What an attribute, a segment or an experiment can be. */
export function useValues(attribute: string): readonly string[] {
  const belongings = useBelongings()
  const experiment = experimentOf(attribute)
  const isKnown = attribute === SEGMENT || experiment !== null
  const values = useAttributeValues(isKnown ? '' : attribute)
  if (attribute === SEGMENT) return belongings.segments
  return experiment === null ? values : belongings.experiments.get(experiment) ?? NONE
}

/** The values of an attribute among events, the most frequent first: by what the commonest step is broken down. */
function useAttributeValues(attribute: string): readonly string[] {
  const [step] = useStepNames()
  const values = useQuery({
    queryKey: ['values', attribute, step],
    queryFn: ({ signal }) => askFunnel({ step: [step as string], limit: 40, by: attribute }, signal),
    enabled: attribute !== '' && step !== undefined,
    staleTime: SLOW_MS,
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
