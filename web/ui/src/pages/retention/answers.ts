/** What `retention` answers. */

/** `partly`: over for some of the cohort; `running`: more may come back; `ahead`: not in the data. */
export type Status = 'over' | 'partly' | 'running' | 'ahead'

export interface RetentionCell {
  /** The period after the first event, or a bracket of them: `0`, `1-6`. */
  readonly n: string | number
  readonly status: Status
  readonly count: number
  readonly of: number
  readonly share: number | null
  readonly low: number | null
  readonly high: number | null
  readonly count_so_far: number
  readonly of_so_far: number
  readonly ahead: number
}

export interface CohortCell extends RetentionCell {
  readonly kind: string
  readonly cohort: string | null
  readonly people: number
}

export interface RetentionAnswer {
  readonly definition: Readonly<Record<string, unknown>> & {
    readonly period: string
    readonly counting_means: string
    readonly n_people: number
    readonly n_followed: number
    readonly n_without_first: number
    readonly until_ms: number
  }
  readonly overall: readonly RetentionCell[]
  readonly cohorts: readonly CohortCell[]
}
