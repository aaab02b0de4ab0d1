/** What `attribution`, `causal` and `paths` answer, as far as the page reads it. */

export interface Credit {
  readonly channel: string
  readonly conversions: number
  readonly low: number | null
  readonly high: number | null
  readonly share: number
  readonly value: number | null
  readonly value_low: number | null
  readonly value_high: number | null
  readonly removal_effect: number | null
  readonly removal_low: number | null
  readonly removal_high: number | null
  readonly journeys: number
  readonly converting: number
  readonly people: number | null
  readonly is_rare: boolean
}

export interface ModelAnswer {
  readonly model: string
  readonly definition: {
    readonly kind: string
    readonly formula: string
    readonly source: string
    readonly parameters: Readonly<Record<string, unknown>>
    readonly rules: Readonly<Record<string, unknown>>
    readonly left_out: Readonly<Record<string, number>>
    readonly interval: Readonly<Record<string, unknown>> | null
    readonly min_support: number
  }
  readonly totals: {
    readonly journeys: number
    readonly conversions: number
    readonly value: number | null
    readonly nulls: number
    readonly conversion_rate: number
    readonly people: number | null
  }
  readonly channels: readonly Credit[]
}

/** One model answers a value, several a list of them. */
export type AttributionAnswer = ModelAnswer | readonly ModelAnswer[]

export interface Total {
  readonly estimate: number | null
  readonly low: number | null
  readonly high: number | null
}

export type Verdict = 'brings' | 'harms' | 'unclear' | 'broken'

export interface UnitAnswer {
  readonly kind: 'channel' | 'journey' | 'state' | 'everything'
  readonly name: string
  readonly people: number
  readonly held: number
  readonly effect: Total & { readonly mean_met: number | null; readonly mean_held: number | null }
  readonly incremental: Total
  readonly forgone: Total
  readonly value: Total | null
  readonly ratio: { readonly expected: number | null; readonly observed: number; readonly p: number | null }
  readonly verdict: Verdict
  readonly share: { readonly share: number; readonly low: number; readonly high: number } | null
  readonly notes: readonly string[]
}

export interface CausalAnswer {
  readonly definition: Readonly<Record<string, unknown>>
  readonly units: readonly UnitAnswer[]
  readonly shares_note: string
  readonly path_credit: readonly {
    readonly model: string
    readonly channels: readonly {
      readonly channel: string
      readonly credit: number
      readonly share: number
      readonly credit_error: number | null
    }[]
    readonly total_variation: number | null
  }[]
  readonly cautions: readonly string[]
  readonly left_out: Readonly<Record<string, number>>
}

export interface PathsAnswer {
  readonly definition: { readonly n_cases: number; readonly n_variants: number }
  readonly variants: readonly {
    readonly kind: 'variant' | 'other'
    readonly path: readonly string[] | null
    readonly n_steps: number | null
    readonly n_variants: number
    readonly count: number
    readonly share: number
    readonly low: number | null
    readonly high: number | null
    readonly p50_ms: number | null
  }[]
}
