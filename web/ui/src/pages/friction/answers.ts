/** What `friction` answers. Days are `YYYY-MM-DD`, UTC. */

export interface Lost {
  readonly estimate: number
  readonly low: number
  readonly high: number
}

export type Signal = 'error' | 'help' | 'ping-pong' | 'loop' | 'backtrack' | 'stall' | 'drop'

export interface Finding {
  readonly kind: 'incident' | 'standing'
  readonly signal: Signal
  readonly steps: readonly string[]
  readonly segment: Readonly<Record<string, string>>
  readonly first: string | null
  readonly last: string | null
  readonly first_between: readonly [string, string] | null
  readonly last_between: readonly [string, string] | null
  readonly cases: number
  readonly people: number
  readonly times: number | null
  readonly at_risk: number
  readonly share: number
  readonly share_elsewhere: number
  readonly p: number | null
  readonly conversions_lost: Lost | null
  readonly evidence: readonly {
    readonly signal: Signal
    readonly steps: readonly string[]
    readonly segment: Readonly<Record<string, string>>
    readonly first: string
    readonly last: string
    readonly p: number
  }[]
}

export interface FrictionAnswer {
  readonly definition: Readonly<Record<string, unknown>> & {
    readonly unit: 'person' | 'session'
    readonly cases: number
    readonly signals: number
  }
  readonly findings: readonly Finding[]
  readonly n_findings: number
}
