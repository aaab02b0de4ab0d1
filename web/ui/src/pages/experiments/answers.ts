/** What `experiments` answer, as far as the pages read it. Bounds that are infinite are null. */

export interface Interval {
  readonly estimate: number | null
  readonly low: number | null
  readonly high: number | null
  readonly p: number | null
}

export type Allocation = 'fixed' | 'changed' | 'adaptive'

export interface Listed {
  readonly experiment: string
  readonly variants: Readonly<Record<string, number>>
  readonly people: number
  readonly multiple: number
  readonly allocation: Allocation
  readonly first_at_ms: number | null
  readonly last_at_ms: number | null
  readonly is_mismatch: boolean
}

export interface Listing {
  readonly experiments: readonly Listed[]
}

export interface Look {
  readonly at_ms: number
  readonly people: number
  readonly estimate: number | null
  readonly low: number | null
  readonly high: number | null
  readonly is_clear: boolean
}

export interface Segmented {
  readonly attribute: string
  readonly effects: readonly { readonly value: string; readonly people: number; readonly effect: Interval }[]
  readonly p: number | null
  readonly q: number | null
  readonly differs: boolean
  readonly refused: string
}

export type Decision =
  | 'better'
  | 'worse'
  | 'no difference shown yet'
  | 'too few people yet'
  | 'sample ratio mismatch: do not read'
  | 'chances not logged: do not read'

export interface Compared {
  readonly metric: string
  readonly kind: string
  readonly variant: string
  /** Whose window is over: of the variant, of the control. */
  readonly people: readonly [number, number]
  readonly waiting: number
  /** Of the variant, of the control. */
  readonly means: readonly [number | null, number | null]
  readonly effect: Interval
  readonly relative: Interval
  readonly q: number
  readonly decision: Decision
  readonly says: string
  readonly is_up_good: boolean
  readonly variance_kept: number
  readonly looks: readonly Look[]
  readonly notes: readonly string[]
  readonly segments: readonly Segmented[]
}

export interface Report {
  readonly experiment: string
  readonly control: string
  readonly arms: readonly {
    readonly variant: string
    readonly people: number
    readonly expected_share: number | null
    readonly expected_people: number | null
  }[]
  readonly people: number
  readonly first_at_ms: number | null
  readonly last_at_ms: number | null
  readonly until_ms: number | null
  readonly allocation: Allocation
  readonly multiple: number
  readonly multiple_share: number
  readonly ratio: {
    readonly p: number | null
    readonly p_once: number | null
    readonly is_mismatch: boolean
    readonly source: string
  }
  readonly comparisons: readonly Compared[]
  readonly warnings: readonly string[]
  readonly definition: Readonly<Record<string, unknown>> & { readonly level: number; readonly method: string }
}
