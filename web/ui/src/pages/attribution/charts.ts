/** The drawings of the attribution page, as series of intervals. */

import { number, share } from '../../parts/format'
import type { Colours } from '../../parts/chart/colours'
import { ATTRIBUTION, MODELS } from '../../text/attribution'
import type { Estimate, Intervals, IntervalSeries } from '../shared/intervals'
import { signed } from '../shared/numbers'
import type { Credit, ModelAnswer, UnitAnswer } from './answers'
import type { ChannelRow } from './credit'

export type Measure = 'conversions' | 'shares'

const SERIES = ['series-2', 'series-3', 'series-4', 'series-5', 'series-6', 'series-7', 'series-8'] as const

/** Each channel with a dot of each model, and what was brought about below them. */
export function creditIntervals(
  rows: readonly ChannelRow[], models: readonly ModelAnswer[], measure: Measure, colours: Colours,
): Intervals {
  const shown = rows.filter((row) => row.channel !== '(none)')
  const credits = models.map(({ model }, i): IntervalSeries => ({
    name: MODELS[model]?.name ?? model,
    colour: colours[SERIES[i % SERIES.length]!],
    points: shown.map((row) => {
      const credit = row.credits[model]
      return credit ? (measure === 'shares' ? shareOf(credit) : conversionsOf(credit)) : null
    }),
  }))
  const caused: IntervalSeries = {
    name: ATTRIBUTION.caused,
    colour: colours['series-1'],
    isMain: true,
    points: shown.map(({ caused: unit }) => (unit ? (measure === 'shares' ? causalShare(unit) : unit.incremental) : null)),
  }
  const hasCaused = caused.points.some((point) => point?.estimate != null)
  return {
    categories: shown.map((row) => row.channel),
    series: hasCaused ? [...credits, caused] : credits,
    write: measure === 'shares' ? share : (x) => number(x, 1),
    axis: measure === 'shares' ? ATTRIBUTION.axisShare : ATTRIBUTION.axis,
    hasZero: hasCaused,
  }
}

function conversionsOf({ conversions, low, high }: Credit): Estimate {
  return { estimate: conversions, low, high }
}

/** The interval of a share: that of the conversions, in the same proportion. */
function shareOf({ conversions, share: estimate, low, high }: Credit): Estimate {
  const scale = conversions > 0 ? estimate / conversions : null
  const scaled = (x: number | null) => (x === null || scale === null ? null : x * scale)
  return { estimate, low: scaled(low), high: scaled(high) }
}

function causalShare({ share: told }: UnitAnswer): Estimate | null {
  return told && { estimate: told.share, low: told.low, high: told.high }
}

/** What hold-outs show of journeys and all else, in the colour of the decision. */
export function unitIntervals(units: readonly UnitAnswer[], colours: Colours): Intervals {
  const colour = { brings: colours.good, harms: colours.bad, unclear: colours['series-8'], broken: colours.warn }
  return {
    categories: units.map(nameOf),
    series: [{
      name: ATTRIBUTION.caused, colour: colours['series-1'], isMain: true, points: units.map((unit) => unit.incremental),
      colours: units.map((unit) => colour[unit.verdict]),
    }],
    write: (x) => signed(x),
    axis: ATTRIBUTION.unitColumns.caused,
    hasZero: true,
  }
}

export function nameOf(unit: Pick<UnitAnswer, 'kind' | 'name'>): string {
  return unit.name ? `${ATTRIBUTION.kinds[unit.kind]} ${unit.name}` : ATTRIBUTION.kinds[unit.kind]
}

export function removalIntervals(effects: readonly Credit[], colours: Colours): Intervals {
  return {
    categories: effects.map((one) => one.channel),
    series: [{
      name: ATTRIBUTION.removalAxis, colour: colours['series-2'], isMain: true,
      points: effects.map((one) => ({ estimate: one.removal_effect, low: one.removal_low, high: one.removal_high })),
    }],
    write: share,
    axis: ATTRIBUTION.removalAxis,
  }
}
