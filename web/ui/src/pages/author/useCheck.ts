/** What the server says of a text, a moment after it was typed; and what may be typed next. */

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { check, getSchema } from '../../api/authoring'
import { askGraph } from '../../api/questions'
import type { ChartView, ProblemView } from '../../api/schema'
import type { Completed } from '../../parts/editor/YamlEditor'
import { placeAt, suggest } from './completion'

/** So long without a letter, and the text is checked. */
const QUIET_MS = 300

export interface Checked {
  readonly problems: readonly ProblemView[]
  readonly chart: ChartView | null
  /** The chart is of an older text: this one does not compile. */
  readonly isStale: boolean
  readonly isChecked: boolean
}

export function useCheck(file: string, text: string): Checked {
  const quiet = useQuiet(text, QUIET_MS)
  const found = useQuery({
    queryKey: ['check', file, quiet],
    queryFn: ({ signal }) => check([{ file, text: quiet }], signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 10_000,
  })
  const last = useRef<ChartView | null>(null)
  const chart = found.data?.charts[0] ?? null
  if (chart) last.current = chart
  return {
    problems: found.data?.problems ?? [], chart: last.current, isStale: found.data !== undefined && chart === null,
    isChecked: found.isSuccess && !found.isPlaceholderData && quiet === text,
  }
}

/** Completion by the JSON Schema of the kind, the steps people take, and the journey's own states. */
export function useComplete(kind: string, chart: ChartView | null): (text: string, offset: number) => Completed | null {
  const schemaKind = kind === 'shared' ? 'definitions' : kind === 'unknown' ? 'journey' : kind
  const schema = useQuery({ queryKey: ['schema', schemaKind], queryFn: () => getSchema(schemaKind), staleTime: Infinity })
  const steps = useQuery({
    queryKey: ['event-names'], queryFn: ({ signal }) => askGraph({ edges: 0, limit: 400 }, signal), staleTime: 300_000, retry: false,
  })
  return useCallback((text, offset) => {
    if (!schema.data) return null
    const place = placeAt(text, offset)
    const words = {
      events: (steps.data?.nodes ?? []).map((node) => node.name).filter((name) => !name.startsWith('$')),
      states: (chart?.states ?? []).map((state) => state.label),
    }
    return {
      from: offset - place.typed.length,
      options: suggest(schema.data as Record<string, unknown>, place, words).map((each) => ({
        label: each.label, type: each.kind === 'key' ? 'property' : 'constant', info: each.about, apply: each.kind === 'key' ? `${each.label}: ` : each.label,
      })),
    }
  }, [schema.data, steps.data, chart])
}

function useQuiet<Value>(value: Value, quiet_ms: number): Value {
  const [quiet, setQuiet] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(value), quiet_ms)
    return () => clearTimeout(timer)
  }, [value, quiet_ms])
  return quiet
}
