/** Path credit and what hold-outs found, laid side by side by channel. */

import type { Sheet } from '../shared/sheet'
import type { AttributionAnswer, CausalAnswer, Credit, ModelAnswer, Total, UnitAnswer } from './answers'

/** Models in the order in which people meet them; what a server adds comes after. */
const ORDER = [
  'first', 'last', 'last-non-direct', 'linear', 'time-decay', 'u-shaped', 'w-shaped', 'custom', 'markov', 'shapley',
  'shapley-ordered', 'shapley-rate',
]

/** One channel: what each model credits it, and what its hold-out says, where it has one. */
export interface ChannelRow {
  readonly channel: string
  readonly credits: Readonly<Record<string, Credit>>
  readonly caused: UnitAnswer | null
  readonly journeys: number
  readonly people: number | null
  readonly isRare: boolean
  /** The credit of the model that is furthest from what was brought about, less that; null without both. */
  readonly mostOff: { readonly model: string; readonly by: number } | null
}

/** Take one answer or several as several, in the order of models. */
export function modelsOf(answer: AttributionAnswer): readonly ModelAnswer[] {
  const models = Array.isArray(answer) ? (answer as readonly ModelAnswer[]) : [answer as ModelAnswer]
  const rank = (model: ModelAnswer) => {
    const place = ORDER.indexOf(model.model)
    return place < 0 ? ORDER.length : place
  }
  return [...models].sort((one, other) => rank(one) - rank(other))
}

/** Join models and hold-outs by channel: the channel with the most converting paths first, `(none)` last. */
export function channelRows(models: readonly ModelAnswer[], causal: CausalAnswer | null): readonly ChannelRow[] {
  const units = new Map((causal?.units ?? []).filter((unit) => unit.kind === 'channel').map((unit) => [unit.name, unit]))
  const names = new Set([...models.flatMap((model) => model.channels.map((one) => one.channel)), ...units.keys()])
  const rows = [...names].map((channel) => rowOf(channel, models, units.get(channel) ?? null))
  return rows.sort((one, other) => rankOf(other) - rankOf(one) || one.channel.localeCompare(other.channel))
}

function rowOf(channel: string, models: readonly ModelAnswer[], caused: UnitAnswer | null): ChannelRow {
  const found = models.flatMap((model) => {
    const credit = model.channels.find((one) => one.channel === channel)
    return credit ? [[model.model, credit] as const] : []
  })
  const any = found[0]?.[1]
  return {
    channel,
    credits: Object.fromEntries(found),
    caused,
    journeys: any?.journeys ?? 0,
    people: any?.people ?? null,
    isRare: any?.is_rare ?? false,
    mostOff: furthest(found, caused?.incremental ?? null),
  }
}

function rankOf(row: ChannelRow): number {
  if (row.channel === '(none)') return -1
  return Math.max(0, ...Object.values(row.credits).map((credit) => credit.converting))
}

function furthest(found: readonly (readonly [string, Credit])[], caused: Total | null): ChannelRow['mostOff'] {
  if (caused?.estimate == null) return null
  const estimate = caused.estimate
  const off = found.map(([model, credit]) => ({ model, by: credit.conversions - estimate }))
  return off.sort((one, other) => Math.abs(other.by) - Math.abs(one.by))[0] ?? null
}

/** The hold-outs that are no channel's: journeys, states, and everything. */
export function otherUnits(causal: CausalAnswer | null): readonly UnitAnswer[] {
  return (causal?.units ?? []).filter((unit) => unit.kind !== 'channel')
}

/** Removal effects, the largest first; none where no model has them. */
export function removals(models: readonly ModelAnswer[]): readonly Credit[] {
  const markov = models.find((model) => model.channels.some((one) => one.removal_effect !== null))
  const effects = (markov?.channels ?? []).filter((one) => one.removal_effect !== null)
  return [...effects].sort((one, other) => (other.removal_effect ?? 0) - (one.removal_effect ?? 0))
}

/** Everything of the page's table, for a spreadsheet. */
export function creditSheet(rows: readonly ChannelRow[], models: readonly ModelAnswer[]): Sheet {
  const columns = [
    'channel', 'journeys', 'people',
    ...models.flatMap(({ model }) => [model, `${model} low`, `${model} high`, `${model} share`]),
    'caused', 'caused low', 'caused high', 'kept back', 'decision',
  ]
  return {
    columns,
    rows: rows.map((row) => [
      row.channel, row.journeys, row.people,
      ...models.flatMap(({ model }) => {
        const credit = row.credits[model]
        return [credit?.conversions, credit?.low, credit?.high, credit?.share]
      }),
      row.caused?.incremental.estimate, row.caused?.incremental.low, row.caused?.incremental.high,
      row.caused?.held, row.caused?.verdict,
    ]),
  }
}
