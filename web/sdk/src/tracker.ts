/**
 * The tracker: `(state, input, at) -> [state, effects]`. It touches nothing: no clock, no chance, no page.
 *
 * Where nobody has said yet whether events may be kept, calls are held in memory, each with its time and place; a yes
 * makes them, a no forgets them.
 */

import { attempt } from './attempt'
import { contextOf, pageOf } from './context'
import { added, deliver, IDLE, wakeBy, type Delivery } from './delivery'
import { readId } from './ids'
import { never, type Call, type Consent, type Consented, type Device, type Effect, type Event, type Input } from './types'
import type { Made, Person, Place, Preferences, Properties, Settings } from './types'

export const MAX_HELD = 200 // calls before consent: a visit; the first ones say where somebody came from
export const MAX_EVENT_BYTES = 32_768 // as Segment's bound for one event
const MAX_PERSON_CHARS = 24_576 // which leaves the rest of an event its room

export const TAB_CHARS = 8

type Reset = Extract<Input, { kind: 'reset' }>
type Named = { readonly type: string; readonly event?: string }

export interface State {
  readonly settings: Settings
  readonly device: Device
  /** Names this tab among those that share what is kept: `TAB_CHARS` characters. */
  readonly tab: string
  readonly person: Person
  readonly consent: Consent
  readonly held: readonly (Made | Reset)[]
  readonly delivery: Delivery
  /** Tells names of events of one instant apart. */
  readonly nMade: number
}

/** What was found at the start. */
export interface Found {
  readonly device: Device
  readonly tab: string
  /** Null: nobody was here before. */
  readonly person: Person | null
  /** An id for whoever is new. */
  readonly anonymousId: string
  /** What was said on an earlier page; null: nothing. */
  readonly preferences: Preferences | null
  readonly hasSaidYes: boolean
  /** Whether the browser itself asks not to be tracked, in a way that the settings respect. */
  readonly isRefused: boolean
  readonly isHidden: boolean
}

/** Make the state of a page that has just opened. */
export function begin(settings: Settings, found: Found, at: number): [State, Effect[]] {
  const isAsked = settings.needsConsent || found.isRefused
  const word = found.hasSaidYes || !isAsked ? 'yes' : found.isRefused ? 'no' : 'unknown'
  const state: State = {
    settings,
    device: found.device,
    tab: found.tab,
    person: found.person ?? nobody(found.anonymousId),
    consent: { word, preferences: found.preferences },
    held: [],
    delivery: { ...IDLE, isHidden: found.isHidden },
    nMade: 0,
  }
  if (word !== 'yes') return [state, []]
  return then(state, [{ kind: 'savePerson', person: state.person }], (next) => woken(next, at))
}

/** Take one step. */
export function step(state: State, input: Input, at: number): [State, Effect[]] {
  switch (input.kind) {
    case 'call':
      return called(state, input.made)
    case 'reset':
      // Behind calls that are held, it is held: else those would be the next one's.
      if (state.held.length) return [{ ...state, held: [...state.held, input] }, []]
      return changed(state, nobody(input.anonymousId))
    case 'consent':
      return consented(state, input, at)
    case 'person':
      return [{ ...state, person: input.person }, []]
    default: {
      const [delivery, effects] = deliver(state.delivery, input, at)
      // After a no nothing is written, though an answer to what was sent before may still come.
      return [{ ...state, delivery }, state.consent.word === 'no' ? effects.filter((effect) => effect.kind !== 'claim') : effects]
    }
  }
}

function called(state: State, made: Made): [State, Effect[]] {
  switch (state.consent.word) {
    case 'no':
      return [state, []]
    case 'unknown':
      if (state.held.length < MAX_HELD) return hold(state, made)
      return [state, [warning('held', `more than ${MAX_HELD} calls wait for consent; later ones are dropped`)]]
    case 'yes':
      return make(state, made)
    default:
      return never(state.consent.word)
  }
}

/** Hold a copy: what a page does to its objects later was not told then. */
function hold(state: State, made: Made): [State, Effect[]] {
  const text = write(made)
  if (text === null) return [state, [unwritable(made.call)]]
  return [{ ...state, held: [...state.held, JSON.parse(text) as Made] }, []]
}

/** Make the event of a call, and keep it. */
function make(state: State, made: Made): [State, Effect[]] {
  const after = personAfter(state.person, made.call)
  if (after === state.person) return seen(state, eventOf(state, made), made.at)
  const text = write(after)
  const isSayable = text !== null && text.length <= MAX_PERSON_CHARS
  // Else no event could carry what is known of them any more.
  const person = isSayable ? (JSON.parse(text) as Person) : personAfter(state.person, { ...made.call, traits: {} } as Call)
  const dropped = isSayable ? [] : [warning('traits', 'traits are no JSON or too long, and are dropped')]
  return then(...changed(state, person), (next) => then(next, dropped, (known) => seen(known, eventOf(known, made), made.at)))
}

/** Let the page's own code see an event. Where that fails, the event is not for us: it might say too much. */
function seen(state: State, event: Event, at: number): [State, Effect[]] {
  try {
    return keep(state, state.settings.before(event), at)
  } catch (error) {
    return [state, [warning('before', `\`before\` failed, and ${nameOf(event)} is dropped: ${error}`)]]
  }
}

function keep(state: State, event: Event | null, at: number): [State, Effect[]] {
  if (event === null) return [state, []]
  const text = write(event)
  if (text === null) return [state, [unwritable(event)]]
  if (text.length > MAX_EVENT_BYTES) {
    return [state, [warning('too-large', `an event is too long and is dropped: ${nameOf(event)}`)]]
  }
  const key = keyOf(at, state.nMade, state.tab, event.messageId)
  const [delivery, effects] = added(state.delivery, at, state.settings)
  return [{ ...state, delivery, nMade: state.nMade + 1 }, [{ kind: 'keep', key, text }, ...effects]]
}

/** Name an event so that names sort by time, then by the order of calls, and tell whose it is. */
export function keyOf(at: number, n: number, tab: string, messageId: string): string {
  return `${at.toString(36).padStart(9, '0')}${(n % 46_656).toString(36).padStart(3, '0')}-${tab}-${messageId}`
}

/** Read a name: when the event was made, ms, and by which tab. */
export function readKey(key: string): readonly [at: number, tab: string] {
  return [parseInt(key.slice(0, 9), 36), key.slice(13, 13 + TAB_CHARS)]
}

function write(value: object): string | null {
  return attempt(() => JSON.stringify(value)) ?? null
}

function nameOf(event: Named): string {
  return event.event ?? event.type
}

function eventOf(state: State, made: Made): Event {
  const { person, device, consent } = state
  return {
    type: made.call.type,
    messageId: made.messageId,
    anonymousId: person.anonymousId,
    ...(person.userId !== null && { userId: person.userId }),
    ...said(made.call, person, made.place),
    originalTimestamp: new Date(made.at).toISOString(),
    context: contextOf(made.place, device, consent, made.call.type === 'group' ? null : person.groupId),
  }
}

function said(call: Call, person: Person, place: Place): Partial<Event> {
  switch (call.type) {
    case 'track':
      return { event: call.event, properties: call.properties }
    case 'page': {
      const { category, name, properties } = call
      return { ...(category && { category }), ...(name && { name }), properties: { ...pageOf(place), ...properties } }
    }
    case 'identify':
      return { traits: person.traits }
    case 'group':
      return { groupId: call.groupId, traits: call.traits }
    case 'alias':
      return { userId: call.userId, previousId: call.previousId ?? person.userId ?? person.anonymousId }
    default:
      return never(call)
  }
}

/** Say who it is after a call. Traits are one user's: another user begins without. */
function personAfter(person: Person, call: Call): Person {
  switch (call.type) {
    case 'identify': {
      const userId = call.userId ?? person.userId
      const isSame = person.userId === null || person.userId === userId
      return { ...person, userId, traits: isSame ? { ...person.traits, ...call.traits } : call.traits }
    }
    case 'group':
      return { ...person, groupId: call.groupId }
    default:
      return person
  }
}

function changed(state: State, person: Person): [State, Effect[]] {
  if (person === state.person) return [state, []]
  return [{ ...state, person }, state.consent.word === 'yes' ? [{ kind: 'savePerson', person }] : []]
}

function consented(state: State, input: Consented, at: number): [State, Effect[]] {
  if (!isWord(input.said)) return [state, [warning('bad-consent', 'consent takes booleans')]]
  const preferences = typeof input.said === 'boolean' ? state.consent.preferences : { ...state.consent.preferences, ...input.said }
  // A word on other categories alone leaves the word on analytics as it was.
  const yes = typeof input.said === 'boolean' ? input.said : (input.said['analytics'] ?? state.consent.word === 'yes')
  if (!yes) return refused(state, input, preferences)
  const allowed: State = { ...state, consent: { word: 'yes', preferences }, held: [] }
  // Who it is before what they allow: other tabs hear in this order, and an echo has nothing to say.
  const saved: Effect[] = input.isEcho ? [] : [{ kind: 'savePerson', person: state.person }, { kind: 'saveConsent', preferences }]
  return then(allowed, saved, (begun) =>
    then(...makeAll(begun, state.held), (next) =>
      typeof input.said === 'boolean' || input.isEcho ? woken(next, at) : make(next, telling(input, input.said, at)),
    ),
  )
}

/** Withdrawn: nothing that was stored stays, and who comes back is somebody new. A first no leaves nothing to take back. */
function refused(state: State, input: Consented, preferences: Preferences | null): [State, Effect[]] {
  if (state.consent.word === 'no') return [state, []] // else two tabs would tell each other for ever
  const isFirstWord = state.consent.word === 'unknown'
  const isNo = input.said === false || (typeof input.said === 'object' && input.said['analytics'] === false)
  if (isFirstWord && !isNo) return [{ ...state, consent: { word: 'unknown', preferences } }, []]
  const next: State = {
    ...state,
    person: nobody(input.anonymousId),
    consent: { word: 'no', preferences: null },
    held: [],
    delivery: { ...state.delivery, nKept: 0, last: [] },
  }
  return [next, [{ kind: 'purge' }]]
}

/** The event that tells the server at once what a person allows (docs/how-to/pace-messages.md). */
function telling(input: Consented, preferences: Preferences, at: number): Made {
  const call: Call = { type: 'track', event: 'Consent Updated', properties: { consent: preferences } }
  return { call, messageId: input.messageId, place: input.place, at }
}

function makeAll(state: State, held: State['held']): [State, Effect[]] {
  const take = (state: State, one: Made | Reset) => ('call' in one ? make(state, one) : changed(state, nobody(one.anonymousId)))
  return held.reduce<[State, Effect[]]>(([next, effects], one) => then(next, effects, (before) => take(before, one)), [state, []])
}

/** What earlier pages left is sent, too, within the same bound. */
function woken(state: State, at: number): [State, Effect[]] {
  const [delivery, effects] = wakeBy(state.delivery, at + state.settings.flushMs)
  return [{ ...state, delivery }, [{ kind: 'trim', most: state.settings.maxEvents }, ...effects]]
}

function then(state: State, effects: Effect[], more: (state: State) => [State, Effect[]]): [State, Effect[]] {
  const [next, others] = more(state)
  return [next, [...effects, ...others]]
}

function nobody(anonymousId: string): Person {
  return { anonymousId, userId: null, traits: {}, groupId: null }
}

function unwritable(event: Named): Effect {
  return warning('unwritable', `an event is no JSON and is dropped: ${nameOf(event)}`)
}

function warning(code: string, text: string): Effect {
  return { kind: 'warn', code, text }
}

/** Take in what a page calls `identify` and the like with; null where it says nothing. */
export function readCall(type: Call['type'], args: readonly unknown[]): Call | null {
  const [first, second, third] = args
  switch (type) {
    case 'track':
      return typeof first === 'string' && first ? { type, event: first, properties: bag(second) } : null
    case 'page': {
      const names = args.filter((one): one is string => typeof one === 'string')
      const properties = bag(args.find((one) => typeof one === 'object'))
      const [category, name] = names.length > 1 ? names : [undefined, names[0]]
      return { type, ...(category && { category }), ...(name && { name }), properties }
    }
    case 'identify':
      return isBag(first) ? { type, userId: null, traits: first } : { type, userId: readId(first), traits: bag(second) }
    case 'group': {
      const groupId = readId(first)
      return groupId === null ? null : { type, groupId, traits: bag(second) }
    }
    case 'alias': {
      const userId = readId(first)
      return userId === null ? null : { type, userId, previousId: readId(second ?? third) }
    }
    default:
      return never(type)
  }
}

/** A word is a boolean or several: what else a script says (`'denied'`, `{analytics: 'no'}`) must not count as a yes. */
function isWord(said: unknown): boolean {
  return typeof said === 'boolean' || (isBag(said) && Object.values(said).every((each) => typeof each === 'boolean'))
}

function isBag(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function bag(value: unknown): Properties {
  return isBag(value) ? value : {}
}
