/** What the operate page says. */

import type { SinkState, RetryVerdict, TailVerdict } from '../api/operate'
import { many } from '../pages/shared/numbers'

export const OPERATE = {
  title: 'Operate',
  about: 'What comes in, what goes out, what went wrong, and what stands still.',
  views: 'Views of operating',
  tabs: {
    events: 'Live events', failed: 'Failed events', dead: 'Dead letters', sinks: 'Sinks', sources: 'Sources and SDKs', holds: 'Pause and stop', accounts: 'Accounts', forgotten: 'Forgotten',
  },

  status: {
    lag: 'Events behind', position: 'Events in the log', clock: 'The log’s clock', outbox: 'On their way', dead: 'Dead letters',
    caughtUp: 'caught up', behind: 'not processed yet', commits: 'Commit, median', p95: (ms: string) => `95% within ${ms}`, lake: 'Analytics behind', disk: 'Data on disk',
    free: (size: string) => `${size} left`, oldest: (ago: string) => `the oldest since ${ago}`,
    version: (version: string) => `Sojourn ${version}`,
  },
} as const

export const TAIL = {
  note: 'Every event as the door sees it, newest first. Nothing is kept here: it begins when you look.',
  pause: 'Pause',
  resume: (n: number) => (n > 0 ? `Go on, ${many(n, 'new event')}` : 'Go on'),
  clear: 'Clear',
  source: 'Source',
  name: 'Event',
  verdict: 'Verdict',
  any: 'any',
  verdicts: { taken: 'taken', duplicate: 'duplicate', failed: 'failed', refused: 'refused whole' } satisfies Record<TailVerdict, string>,
  columns: { at: 'When', verdict: 'Verdict', type: 'Type', name: 'Event', who: 'Who', source: 'Source', sdk: 'SDK', id: 'Message id' },
  skipped: (n: number) => `${many(n, 'event')} more came than anybody reads; they were taken, and are not shown.`,
  state: { connecting: 'Connecting…', open: 'Listening', lost: 'Connection lost; it comes back by itself' },
  paused: 'Paused',
  emptyTitle: 'Nothing has come yet',
  empty: 'Send an event, and it appears here within a second:',
  emptyCommand: `curl --user WRITE_KEY: http://localhost:8080/v1/track --data '{"userId": "ada", "event": "Product Viewed"}'`,
  nothingFits: 'No event fits the filter yet.',
} as const

export const FAILED = {
  summary: 'By reason',
  summaryNote: 'The kind that came last first. A reason is a bug in whoever sends: mend it there, then try the events again.',
  list: 'Failed events',
  listNote: 'Each with its reason and the bytes that came. Trying again reads them through the same door: what reads well now is taken, once.',
  columns: { code: 'Reason', source: 'Source', n: 'Events', last: 'Newest', received: 'Received', reason: 'What is wrong', where: 'Where' },
  retry: 'Try again',
  retryShown: (n: number) => `Try these ${n} again`,
  body: 'What came',
  cause: 'What is wrong',
  more: 'Older ones',
  retried: (n: number, taken: number) => `${taken} of ${n} ${taken === 1 ? 'is' : 'are'} taken now.`,
  verdicts: {
    taken: 'taken', duplicate: 'was in the log already', failed: 'fails as before', refused: 'not tried',
  } satisfies Record<RetryVerdict, string>,
  emptyTitle: 'No event has failed',
  empty: 'An event that cannot be read is kept here with its reason, and its neighbours are taken. Nothing is lost.',
} as const

export const DEAD = {
  list: 'Dead letters',
  note: 'Messages that were given up after many attempts. Trying again sends each under the same key, so a receiver that has it already can tell.',
  columns: { at: 'Given up', what: 'Message', person: 'Person', sink: 'Sink', attempts: 'Attempts', error: 'Last error' },
  retry: 'Try again',
  retryAll: 'Try all again…',
  retryAllTitle: 'Try all dead letters again?',
  retryAllText: 'Each goes back on its way as if it had never been tried, also those that are not shown here. See that what failed is mended first.',
  retryAllGo: 'Try all again',
  revived: (n: number) => `${many(n, 'message')} ${n === 1 ? 'is' : 'are'} on the way again.`,
  more: 'Older ones',
  body: 'What is sent',
  emptyTitle: 'Nothing was given up',
  empty: 'A message whose sink keeps refusing it ends here after its attempts, with the last error.',
} as const

export const SINKS = {
  title: 'Sinks',
  note: 'Where messages go, and how each destination does; those that want to be looked at first.',
  columns: { name: 'Sink', type: 'Type', state: 'State', waiting: 'On their way', dead: 'Given up', delivered: 'Delivered', retried: 'Attempts put off', last: 'Last delivered', error: 'Last error', rate: 'At most' },
  states: { idle: 'idle', delivering: 'delivering', 'backing-off': 'backing off', held: 'stopped' } satisfies Record<SinkState, string>,
  stateAbout: {
    idle: 'Nothing waits for it.', delivering: 'It takes what it is given.', 'backing-off': 'It failed last; what waits is tried again later, by itself.', held: 'All sending is stopped.',
  } satisfies Record<SinkState, string>,
  since: (ago: string) => `the oldest since ${ago}`,
  rate: (most: number, per: string) => `${most} in ${per}`,
  notConfigured: 'not configured',
  emptyTitle: 'No sink yet',
  empty: 'A sink is where journeys send: a webhook, e-mail, Slack, Kafka. Name one under sinks in sojourn.yaml.',
} as const

export const SOURCES = {
  title: 'Sources',
  note: 'Who sends, by write key.',
  columns: { name: 'Source', key: 'Write key', events: 'Events', duplicates: 'Duplicates', failed: 'Failed', first: 'First', last: 'Last' },
  sdks: 'SDKs',
  sdksNote: 'Which library in which version sent what last, as each event says. An old version beside a newer one is worth a look.',
  sdkColumns: { sdk: 'SDK', version: 'Version', source: 'Source', events: 'Events', first: 'First', last: 'Last', lastEvent: 'Last event' },
  old: 'older',
  key: (hint: string) => (hint ? `…${hint}` : ''),
  noSdks: 'No SDK has sent anything yet.',
  emptyTitle: 'No source yet',
  empty: 'A source is a write key under sources in sojourn.yaml. An SDK sends with it.',
} as const

export const HOLDS = {
  all: 'Everything',
  allNote: 'Stop keeps all journeys and the outbox still: nobody enters, no timer fires, nothing is sent. Events are still taken and kept.',
  stop: 'Stop everything…',
  release: 'Let everything go on…',
  stopTitle: 'Stop everything?',
  stopText: 'Nobody enters any journey, no timer fires, and nothing is sent, until it is let go on. Events are still taken. What came due meanwhile happens when it goes on.',
  releaseTitle: 'Let everything go on?',
  releaseText: 'Timers that came due meanwhile fire now, and what waits in the outbox is sent.',
  journeys: 'Journeys',
  journeysNote: 'A paused journey lets nobody in, and none of its timers fires. People inside wait where they are.',
  columns: { journey: 'Journey', version: 'Version', inside: 'Inside now', state: 'State', action: 'Action' },
  running: 'running',
  paused: 'paused',
  closed: 'closed',
  pause: 'Pause…',
  resume: 'Resume…',
  pauseTitle: (journey: string) => `Pause ${journey}?`,
  pauseText: (n: number) => `Nobody enters, and no timer of it fires. ${many(n, 'person', 'people')} inside wait where they are.`,
  resumeTitle: (journey: string) => `Resume ${journey}?`,
  resumeText: 'Timers that came due meanwhile fire now. Who did what lets people in meanwhile stays outside.',
  stopped: 'Everything is stopped',
  goes: 'Everything runs',
  emptyTitle: 'No journey yet',
  empty: 'Journeys that are in force can be paused and resumed here.',
  viewer: 'Your role may look. An editor pauses and stops.',
} as const

export const ACCOUNTS = {
  title: 'Accounts',
  note: 'Who may sign in. Whoever has the admin token of sojourn.yaml may, too.',
  columns: { name: 'Name', role: 'Role', created: 'Since', seen: 'Last seen', action: 'Action' },
  roles: { viewer: 'viewer: looks', editor: 'editor: changes journeys, retries, pauses', admin: 'admin: all, also forgetting and accounts' },
  add: 'Add an account…',
  addTitle: 'Add an account',
  addGo: 'Add',
  name: 'Name',
  role: 'Role',
  password: 'Password',
  passwordHint: 'Twelve characters or more. Give it to them by another way than this page.',
  setPassword: 'New password…',
  setPasswordTitle: (name: string) => `A new password for ${name}`,
  setPasswordGo: 'Set password',
  remove: 'Remove…',
  removeTitle: (name: string) => `Remove ${name}?`,
  removeText: 'They are signed out everywhere at once. What they published stays.',
  removeGo: 'Remove',
  never: 'never',
  emptyTitle: 'Nobody but the admin token',
  empty: 'Give each person an account of their own, so that what was done says by whom.',
} as const

export const FORGOTTEN = {
  title: 'Forgotten people',
  note: 'Everybody who was forgotten, newest first. It says when, by whom and how much, and names nobody; ids are kept as keyed hashes alone.',
  columns: {
    at: 'When', by: 'By', reason: 'Reason', stage: 'State', ids: 'Ids', events: 'Events', facts: 'Facts', withheld: 'Not sent', failed: 'Failed events',
    files: 'Files written anew', took: 'Took',
  },
  stages: {
    waiting: 'waiting', states: 'erasing states', log: 'erasing from the log', facts: 'erasing facts', lake: 'erasing from the lake',
    traces: 'erasing traces', done: 'erased',
  } as Readonly<Record<string, string>>,
  emptyTitle: 'Nobody was forgotten',
  empty: 'An administrator forgets a person on that person’s page.',
} as const
