/** What `funnel` answers. */

export interface Share {
  readonly count: number
  readonly of: number
  readonly share: number | null
  readonly low: number | null
  readonly high: number | null
}

export interface FunnelStep {
  readonly step: string
  readonly count: number
  readonly people: number
  readonly dropped: number
  readonly from_start: Share
  readonly from_previous: Share
}

export interface StepTime {
  readonly n: number
  readonly step: string
  readonly count: number
  readonly from_previous_p10_ms: number | null
  readonly from_previous_p50_ms: number | null
  readonly from_previous_p90_ms: number | null
  readonly from_start_p50_ms: number | null
}

export interface WentTo {
  readonly n: number
  readonly after: string
  readonly kind: 'step' | 'other' | 'ended'
  readonly next: string | null
  readonly count: number
  readonly people: number
  readonly share: number
}

/** A row of `by`; the value stands under the name of the attribute that was asked for. */
export interface ByRow {
  readonly kind: 'value' | 'other' | 'none'
  readonly n: number
  readonly step: string
  readonly count: number
  readonly dropped: number
  readonly from_start: number | null
  readonly from_start_low: number | null
  readonly from_start_high: number | null
  readonly [attribute: string]: unknown
}

export interface Quantile {
  readonly share: number
  readonly all_ms: number | null
  readonly all_low_ms: number | null
  readonly all_high_ms: number | null
  readonly converters_ms: number | null
}

export interface ListedPerson {
  readonly person: string
  readonly got_to: number
  readonly began_at: number
  readonly got_there_at: number
}

export interface FunnelAnswer {
  readonly definition: Readonly<Record<string, unknown>> & {
    readonly order_means: string
    readonly per: 'person' | 'session' | 'attempt'
    readonly per_means: string
    readonly n_people: number
    readonly n_cases: number
  }
  readonly steps: readonly FunnelStep[]
  readonly times: readonly StepTime[]
  readonly went_to: readonly WentTo[]
  readonly by?: readonly ByRow[]
  readonly reached?: readonly ListedPerson[]
  readonly dropped?: readonly ListedPerson[]
  readonly time_to_convert?: {
    readonly definition: { readonly n_started: number; readonly n_converted: number }
    readonly quantiles: readonly Quantile[]
    readonly curve: readonly {
      readonly after_ms: number
      readonly converted: number
      readonly low: number
      readonly high: number
    }[]
  }
}
