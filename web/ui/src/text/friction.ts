/** What the friction page says. */

import type { Signal } from '../pages/friction/answers'

interface Words {
  readonly name: string
  readonly title: (one: string, other: string) => string
  readonly means: string
}

export const SIGNALS: Readonly<Record<Signal, Words>> = {
  error: {
    name: 'Error',
    title: (one, other) => (other ? `Error at ${one}: ${other}` : `Error: ${one}`),
    means: 'An event whose name tells of an error.',
  },
  help: {
    name: 'Asking for help',
    title: (one) => `Asking for help: ${one}`,
    means: 'People turn to help, chat or support.',
  },
  'ping-pong': {
    name: 'Back and forth',
    title: (one, other) => `Back and forth between ${one} and ${other}`,
    means: 'Two steps, one after the other, again and again.',
  },
  loop: {
    name: 'Loop',
    title: (one) => `Coming to ${one} again and again`,
    means: 'A step is entered three times or more, with nothing new in between.',
  },
  backtrack: {
    name: 'Going back',
    title: (one, other) => `Going back from ${one} to ${other}`,
    means: 'From a later step back to one that usually comes before it.',
  },
  stall: {
    name: 'Stall',
    title: (one) => `Unusually long at ${one}`,
    means: 'A step takes longer than it takes nearly everybody who reaches the goal.',
  },
  drop: {
    name: 'Drop-off',
    title: (one) => `No way on from ${one}`,
    means: 'Whoever comes there does not reach the goal afterwards.',
  },
}

export const FRICTION = {
  title: 'Friction',
  about: 'Where people struggle: what went wrong at some time and for some people, and what is always hard.',
  goal: 'Goal',
  noGoal: 'No goal: ranked by how many it happens to',
  by: 'A case is',
  bySession: 'a session',
  byPerson: 'a person',
  show: 'Show',
  incidents: 'Incidents',
  incidentsAbout: 'Something became unusual on some days. Each has the days on which it most likely began and ended, and whose it was.',
  noIncidents: 'No incident was found in this time: nothing that is told apart from chance.',
  standing: 'Always hard',
  standingAbout: 'What happens all the time. It is a sign of friction, and no proof of it: some steps are gone back to on purpose.',
  noStanding: 'Nothing stands out.',
  lost: 'Conversions fewer',
  lostAbout: 'Fewer conversions than cases without it had. That is a difference beside what others do, not what it caused.',
  share: 'Happens in',
  elsewhere: 'elsewhere',
  people: 'People',
  when: 'When',
  whose: 'Whose',
  everybody: 'everybody',
  chance: 'By chance',
  chanceAbout: 'How often chance alone would show an incident like it anywhere, over everything that was looked at.',
  may: (from: string, to: string) => `may have begun from ${from} to ${to}`,
  mayEnd: (from: string, to: string) => `may have ended from ${from} to ${to}`,
  also: 'The same shows in',
  onMap: 'See it on the map',
  map: 'Map',
  plot: 'Conversions fewer, with 95% intervals',
  shown: (shown: number, all: number) => `${shown} of ${all} findings, the costliest first`,
  emptyTitle: 'No friction to show yet',
  empty: 'Friction is read from what people do: steps gone back to, loops, errors, long silences. Send events as people move through the product, and name a goal. From about 20 cases on, findings appear here.',
  notToConclude: [
    'A finding says where people struggle, not why. Look at some of their sessions before anything is changed.',
    'Conversions fewer is beside people without it: who struggles may have been less likely to convert anyway.',
    'What is not listed may still be there: it was not told apart from chance, or happens to few.',
  ],
} as const
