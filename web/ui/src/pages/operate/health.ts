/** How the house is doing, as one word and a tone for each part. */

import type { SdkView, SinkView, SourceView, StatusView } from '../../api/schema'

export type Tone = 'good' | 'warn' | 'bad' | 'plain'

/** An engine this many events behind is busy; one that much further is falling behind. */
const BUSY = 100
const BEHIND = 10_000

/** Events taken and not processed yet. */
export function lagOf(status: Pick<StatusView, 'position' | 'log_end'>): number {
  return Math.max(0, status.log_end - status.position)
}

export function toneOfLag(lag: number): Tone {
  if (lag >= BEHIND) return 'bad'
  return lag >= BUSY ? 'warn' : 'good'
}

/** A sink that holds back, or gave something up, wants to be looked at. */
export function toneOfSink(sink: Pick<SinkView, 'state' | 'dead'>): Tone {
  if (sink.state === 'backing-off') return 'bad'
  if (sink.state === 'held' || sink.dead > 0) return 'warn'
  return sink.state === 'delivering' ? 'good' : 'plain'
}

/** Sinks that want to be looked at first, then by name. */
export function sortedSinks(sinks: readonly SinkView[]): readonly SinkView[] {
  const rank: Readonly<Record<Tone, number>> = { bad: 0, warn: 1, good: 2, plain: 3 }
  return [...sinks].sort(
    (one, other) => rank[toneOfSink(one)] - rank[toneOfSink(other)] || one.name.localeCompare(other.name),
  )
}

export interface SdkRow extends SdkView {
  readonly source: string
  readonly hint: string
  /** Another version of the same SDK was seen later. */
  readonly isOld: boolean
}

/** One row for each SDK of each source, the one heard last first. */
export function sdkRows(sources: readonly SourceView[]): readonly SdkRow[] {
  const rows = sources.flatMap((source) =>
    source.sdks.map((sdk) => ({
      ...sdk,
      source: source.name,
      hint: source.write_key_hint,
      isOld: source.sdks.some((other) => other.name === sdk.name && other.first_at > sdk.first_at),
    })),
  )
  return rows.sort((one, other) => other.last_at - one.last_at)
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Write an amount of bytes: `1.5 MB`. */
export function bytes(n: number): string {
  const power = n < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(n) / 3))
  const scaled = n / 1_000 ** power
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${BYTE_UNITS[power]}`
}
