/** What the pages about experiments say. */

import type { Allocation, Decision } from '../pages/experiments/answers'
import { many } from '../pages/shared/numbers'

export const DECISIONS: Readonly<Record<Decision, string>> = {
  better: 'better',
  worse: 'worse',
  'no difference shown yet': 'no difference shown yet',
  'too few people yet': 'too few people yet',
  'sample ratio mismatch: do not read': 'do not read: sample ratio',
  'chances not logged: do not read': 'do not read: chances not logged',
}

export const ALLOCATIONS: Readonly<Record<Allocation, string>> = {
  fixed: 'fixed shares',
  changed: 'shares that changed',
  adaptive: 'learns',
}

export const EXPERIMENTS = {
  title: 'Experiments',
  about: 'What each variant did, with intervals that hold however often one looks.',
  columns: { experiment: 'Experiment', people: 'People', variants: 'Variants', allocation: 'Allocation', first: 'First met', last: 'Last met', ratio: 'Sample ratio' },
  fine: 'fine',
  mismatch: 'mismatch: do not read',
  several: (n: number) => `${many(n, 'person', 'people')} in several variants`,
  emptyTitle: 'Nobody has met an experiment yet',
  empty: 'An experiment is a split in a journey, a rule of a flag, or an exposure that an application sends. In a journey it looks like this:',
  emptyExample: 'choosing:\n  experiment:\n    id: rescue-offer\n    variants: { reminder: 1, free_shipping: 1 }\n    to: { reminder: reminded, free_shipping: offered }',

  missingTitle: (name: string) => `Nobody has met an experiment called “${name}”`,
  missing: 'It appears with the first person who meets it.',
  toList: 'All experiments',
  beside: (control: string) => `beside ${control}`,
  control: 'control',
  people: 'People',
  since: 'First met',
  until: 'Seen up to',
  allocation: 'Allocation',
  severalOut: 'Left out: met several',

  method: 'Read',
  methods: { 'always-valid': 'whenever you like', fixed: 'once, at a time fixed before', 'planned-looks': 'at planned looks' },
  planned: 'People at the last look',
  plannedTitle: 'How many people are planned?',
  plannedText: 'Planned looks need the number of people of two arms at the last look, fixed before the start.',
  controlIs: 'Control',
  by: 'By',
  byHint: 'country',

  srmTitle: 'The arms do not have the people they should have',
  srmText: 'People of one arm are lost or counted twice somewhere: a redirect, a bot filter, an SDK that reports late. No number below means anything until it is found. Nothing is decided.',
  ratioTitle: 'Sample ratio',
  ratioNote: (source: string) => `Who is in which arm beside who should be. Expected shares: ${source}.`,
  ratioFine: (p: string) => `The arms have the people they should have (p ${p}).`,
  ratioBad: (p: string) => `The arms do not have the people they should have (p ${p}).`,
  ratioUnknown: (source: string) => `Not checked: ${source}.`,
  armColumns: { variant: 'Variant', people: 'People', share: 'Share', expected: 'Expected' },

  effects: 'Effects',
  effectsNote: (control: string) => `Each variant beside ${control}, as a share of its mean. All of an interval is possible; the line is no difference.`,
  effectsShape: 'Relative effects with intervals, by metric and variant',
  effectsAxis: 'Relative effect',
  found: 'What was found',
  metric: (name: string, kind: string) => `${name} · ${kind.replaceAll('_', ' ')}`,
  downIsGood: 'less is better',
  comparison: {
    variant: 'Variant', people: 'People (variant / control)', waiting: 'In their window', means: 'Means (variant / control)', difference: 'Difference', relative: 'Relative', q: 'q', decision: 'Decision',
  },
  waitingText: (n: number) => `${many(n, 'person', 'people')} still in the window`,
  qAbout: 'The chance of an effect like it where there is none, corrected for all comparisons of this report',
  narrower: (kept: number) => `What was known before took ${Math.round((1 - kept) * 100)}% of the noise out.`,

  path: 'How the interval came to be',
  pathNote: 'By how many people’s window was over. It may be looked at whenever one likes; it only narrows.',
  pathAxis: 'People',
  pathShape: (metric: string, variant: string) => `${metric}, ${variant}: difference and interval by people`,

  segments: (attribute: string) => `By ${attribute}`,
  segmentsDiffer: 'the effect differs',
  segmentsSame: 'no difference between them shown',
  segmentsNote: 'People by what they were when they met the experiment. What it finds is for the next experiment to confirm.',
  segmentShape: (attribute: string) => `Difference by ${attribute}, with intervals`,
  segmentColumns: { value: 'Segment', people: 'People', difference: 'Difference', interval: 'Interval' },

  noMetrics: 'No metric is told of yet. Metrics are files in the folder metrics beside the journeys; without any, the goal of the journey is.',
  notToConclude: [
    '“No difference shown yet” is not “no effect”: everything in the interval is still possible.',
    'An effect is of these people in this time. It is no forecast for others.',
    'Do not stop because a number looks good: intervals here allow every look, and a plain p-value does not.',
  ],
} as const
