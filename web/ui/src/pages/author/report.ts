/** What a rehearsal came to, read from its report: as `sojourn replay --json` and `sojourn simulate --json` write it. */

/** What one journey did to people, in the draft or as it is published. */
export interface Tally {
  readonly entered: number
  readonly goals: number
  readonly errors: number
  readonly actions: Readonly<Record<string, number>>
  readonly states: Readonly<Record<string, number>>
  readonly ways: Readonly<Record<string, number>>
}

export interface Outcome {
  readonly journey: string
  readonly draft: Tally | null
  readonly published: Tally | null
}

export interface Row {
  readonly key: string
  /** `entered`, `goals`, `errors`, or the name of an action after `sent `. */
  readonly draft: number
  /** Null where nothing is published to compare with. */
  readonly published: number | null
}

type Report = Readonly<Record<string, unknown>>

export function outcomesOf(report: Report | null): readonly Outcome[] {
  const journeys = report?.['journeys']
  return Array.isArray(journeys) ? (journeys as readonly Outcome[]) : []
}

export function draftOf(report: Report | null, journey: string): Tally | null {
  return outcomesOf(report).find((each) => each.journey === journey)?.draft ?? null
}

/** People who get something else than from what is published, and of how many; null where nothing was compared. */
export function affectedOf(report: Report): { readonly affected: number; readonly people: number } | null {
  if (report['is_compared'] !== true) return null
  return { affected: Number(report['affected'] ?? 0), people: Number(report['people'] ?? 0) }
}

/** What looks wrong, in words. */
export function warningsOf(report: Report): readonly string[] {
  const found = report['warnings'] ?? report['findings'] ?? []
  return Array.isArray(found) ? found.map((each) => (typeof each === 'string' ? each : String((each as Report)['message'] ?? JSON.stringify(each)))) : []
}

export function rowsOf({ draft, published }: Outcome): readonly Row[] {
  const of = (key: 'entered' | 'goals' | 'errors') => ({ key, draft: draft?.[key] ?? 0, published: published ? published[key] : null })
  const actions = [...new Set([...Object.keys(draft?.actions ?? {}), ...Object.keys(published?.actions ?? {})])].sort()
  return [
    of('entered'), of('goals'), of('errors'),
    ...actions.map((name) => ({ key: `sent ${name}`, draft: draft?.actions[name] ?? 0, published: published ? (published.actions[name] ?? 0) : null })),
  ]
}
