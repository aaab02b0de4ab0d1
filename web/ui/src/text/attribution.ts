/** What the attribution page says. */

import type { Verdict } from '../pages/attribution/answers'
import { many } from '../pages/shared/numbers'

export const MODELS: Readonly<Record<string, { readonly name: string; readonly says: string }>> = {
  first: { name: 'First touch', says: 'all to the first touch' },
  last: { name: 'Last touch', says: 'all to the last touch' },
  'last-non-direct': { name: 'Last non-direct', says: 'all to the last touch that is not direct traffic' },
  linear: { name: 'Linear', says: 'evenly to all touches' },
  'time-decay': { name: 'Time decay', says: 'newer touches more' },
  'u-shaped': { name: 'Position (U)', says: '40% each to first and last, the rest to those between' },
  'w-shaped': { name: 'Position (W)', says: '30% each to first, middle and last' },
  markov: { name: 'Markov', says: 'in proportion to removal effects' },
  shapley: { name: 'Shapley', says: 'evenly to the channels of each path' },
  'shapley-rate': { name: 'Shapley (rate)', says: 'by what a channel adds to the conversion rate' },
}

/** What the page asks for at first: one of each family. */
export const FIRST_MODELS = ['first', 'last', 'linear', 'time-decay', 'u-shaped', 'markov', 'shapley'] as const

export const VERDICTS: Readonly<Record<Verdict, string>> = {
  brings: 'brings conversions',
  harms: 'costs conversions',
  unclear: 'not shown yet',
  broken: 'broken: do not read',
}

export const ATTRIBUTION = {
  title: 'Attribution',
  about: 'Who stood on the way to a conversion, beside what hold-outs show was brought about. The two are different questions.',
  conversion: 'Conversion',
  conversionHint: 'Order Completed',
  channel: 'Channel is',
  channelHint: 'channel',
  value: 'Worth',
  valueHint: 'revenue',
  lookback: 'Look back',
  lookbackHint: 'all',
  direct: 'Direct traffic',
  directChoices: { keep: 'is a channel', drop: 'left out', 'last-non-direct': 'only where nothing else', merge: 'one with the touch before' },
  models: 'Models',

  chooseTitle: 'Which event is a conversion?',
  choose: 'Name the event that counts, as Order Completed. Credit, effects and paths are all told of it.',
  emptyTitle: 'Nothing to attribute yet',
  empty: 'Attribution needs conversions, and visits that say how people came. Browser SDKs send the campaign and the referrer with each page; name an event that counts as a conversion.',

  sideTitle: 'Credit beside effect',
  sideNote: 'Thin dots are path credit: shares of the conversions there were. The thick dot is causal: what would have been lost without the channel, from its hold-out.',
  measure: 'Show',
  asConversions: 'Conversions',
  asShares: 'Shares',
  axis: 'Conversions',
  axisShare: 'Share',
  caused: 'Caused (hold-out)',
  chart: 'Conversions by channel: path credit by model, and what was brought about',

  credit: 'Path credit',
  creditIs: 'is not causal',
  creditText: 'Shares out conversions that happened among the channels that stood before them. It says who was met on the way. It cannot say whether there would have been fewer without.',
  causal: 'Causal contribution',
  causalIs: 'from hold-outs',
  causalText: 'Compares those who could have been reached with a share who were kept back on purpose. It says how many conversions were brought about, and how sure that is.',

  table: 'By channel',
  tableNote: 'Conversions credited by each model with their intervals, and what the hold-out shows.',
  columns: {
    channel: 'Channel', people: 'People', caused: 'Caused', interval: 'Interval', decision: 'Decision', held: 'Kept back', off: 'Furthest off',
  },
  rare: 'few',
  rareHint: 'Fewer than 30 conversions: too few to say much',
  off: (model: string, by: string) => `${model}: ${by}`,
  noHoldout: 'no hold-out',

  others: 'Journeys, states and everything',
  othersNote: 'The same question of whole journeys: what all they send brings about. These overlap with channels; never add them up.',
  unitColumns: {
    what: 'What', people: 'People', held: 'Kept back', caused: 'Conversions brought about', interval: 'Interval', perThousand: 'Per 1,000', value: 'Value', decision: 'Decision',
  },
  kinds: { channel: 'channel', journey: 'journey', state: 'state', everything: 'everything' },
  unitChart: 'Conversions brought about, with intervals',

  noCausalTitle: 'No hold-out has kept anybody back yet',
  noCausal: 'Effects need people who were kept back. Give a channel a holdout in the policy; journeys keep 5% back by themselves. Then wait until some of them could have been reached.',
  noCausalExample: 'policy:\n  channels:\n    email: { sinks: [crm], holdout: 10% }',

  removal: 'Removal effects',
  removalNote: 'The share of conversions that would go if every path through the channel failed (Markov). It measures overlap. It is no lift, and the effects add up to more than 1.',
  removalAxis: 'Removal effect',

  paths: 'Paths by channel',
  pathsNote: 'The ways people came, by channel, visits by the same channel in a row as one; the most frequent first.',
  pathColumns: { path: 'Path', people: 'People', share: 'Share', interval: 'Interval', took: 'Median time' },
  otherPaths: (n: number) => `${many(n, 'other path')}`,
  nobody: 'began without a channel',

  totals: { conversions: 'Conversions', rate: 'Of all paths', people: 'People', value: 'Value', brings: 'Shown to bring' },
  totalsPaths: (n: string) => `of ${n} paths`,

  notToConclude: [
    'Path credit is no effect: moving budget to where credit is high can lower conversions, where those people would have come anyway.',
    'Models disagree because the question has no answer in paths alone. That they agree is no proof either.',
    'A removal effect says how much conversions depend on paths through a channel, not what switching it off would cost.',
  ],
} as const
