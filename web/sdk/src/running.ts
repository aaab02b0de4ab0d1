/** Running: one tracker of a page, from its calls to what it has done. */

import { guarded } from './attempt'
import { openWorld } from './io'
import { begin, readCall, step, type State } from './tracker'
import type { Call, Effect, Event, Input, Options, Person, Preferences, Properties, Settings } from './types'

export interface Sojourn {
  /** Tell what somebody did. */
  track(event: string, properties?: Properties): void
  /** Tell which page they see: `page()`, `page(name)`, `page(category, name)`, each with properties. */
  page(...args: readonly (string | Properties | undefined)[]): void
  /** Tell who they are, what is known of them, or both. */
  identify(userId: string | number | Properties, traits?: Properties): void
  /** Tell which company, team or household they belong to. */
  group(groupId: string | number, traits?: Properties): void
  /** Tell that a user is known by another id from now on. */
  alias(userId: string | number, previousId?: string | number): void
  /** They signed out: whoever comes next is somebody new. */
  reset(): void
  /** Tell what they allow: all or nothing, or by category; `analytics` is the one that decides over storing and sending. */
  consent(said: boolean | Preferences): void
  /** Send what waits; true where nothing waits any more. */
  flush(): Promise<boolean>
  /** Call back once this is running. */
  ready(callback?: () => void): Promise<void>
  /** Who it is, as far as the page knows. */
  user(): Person
}

export const CALLS = ['track', 'page', 'identify', 'group', 'alias'] as const
const running = new Map<string, Tracker>()

/** A tracker, and the way in for calls that were made before it was there. */
export interface Tracker {
  readonly api: Sojourn
  readonly call: (type: Call['type'], args: readonly unknown[], at: number) => void
}

/** Begin to track. The same write key again returns what runs already. On a server, where there is no page, it does nothing. */
export function load(writeKey: string, options: Options): Sojourn {
  return typeof document === 'undefined' ? still() : start(writeKey, options).api
}

/** As `load`, for those who bring earlier calls along. */
export function start(writeKey: string, options: Options): Tracker {
  const before = running.get(writeKey)
  if (before) return before
  const tracker = run(settle(writeKey, options))
  running.set(writeKey, tracker)
  return tracker
}

/** Give the options their defaults. */
export function settle(writeKey: string, options: Options): Settings {
  return {
    writeKey,
    host: options.host.replace(/\/+$/, ''),
    autoPage: options.autoPage ?? true,
    needsConsent: options.consent === 'required',
    respectGpc: options.respectGpc ?? false,
    respectDnt: options.respectDnt ?? false,
    storage: options.storage ?? 'local',
    cookieDomain: options.cookieDomain ?? '',
    flushAt: options.flushAt ?? 20,
    flushMs: options.flushMs ?? 250,
    maxEvents: options.maxEvents ?? 1_000,
    before: options.before ?? ((event: Event) => event),
  }
}

function run(settings: Settings): Tracker {
  const inputs: Input[] = []
  const flushing: ((isEmpty: boolean) => void)[] = []
  let state: State | undefined
  const perform = (effect: Effect) =>
    guarded(() => {
      if (effect.kind === 'settle') flushing.splice(0).forEach((resolve) => resolve(effect.isEmpty))
      else world.perform(effect)
    })
  const take = (input: Input) =>
    guarded(() => {
      const [next, effects] = step(state!, input, world.now())
      state = next
      effects.forEach(perform)
    })
  // What an effect brings about at once waits until the others of its step are done.
  const hear = (input: Input) => {
    if (inputs.push(input) > 1) return
    for (; inputs.length; inputs.shift()) {
      if (state) take(inputs[0]!)
    }
  }
  const world = openWorld(settings, hear)
  const [begun, effects] = begin(settings, world.find(), world.now())
  state = begun
  effects.forEach(perform)
  const call: Tracker['call'] = (type, args, at) =>
    guarded(() => {
      const read = readCall(type, args)
      if (read) hear({ kind: 'call', made: { call: read, messageId: world.newId(), place: world.place(), at } })
      else world.perform({ kind: 'warn', code: `bad-${type}`, text: `${type} without a name or an id is ignored` })
    })
  if (settings.autoPage) world.onPage(() => call('page', [], world.now()))
  const named = Object.fromEntries(CALLS.map((type) => [type, (...args: unknown[]) => call(type, args, world.now())]))
  const api = {
    ...named,
    reset: () => hear({ kind: 'reset', anonymousId: world.newId() }),
    consent(said: boolean | Preferences) {
      const ids = { anonymousId: world.newId(), messageId: world.newId() }
      hear({ kind: 'consent', said, isEcho: false, ...ids, place: world.place() })
    },
    flush: () =>
      new Promise<boolean>((resolve) => {
        if (state!.consent.word !== 'yes') return resolve(true)
        flushing.push(resolve)
        hear({ kind: 'flush' })
      }),
    ready,
    user: () => state!.person,
  } as Sojourn
  return { api, call }
}

/** Where there is no page, nothing is to be told. */
function still(): Sojourn {
  const nothing = () => {}
  const nobody: Person = { anonymousId: '', userId: null, traits: {}, groupId: null }
  const named = Object.fromEntries([...CALLS, 'reset', 'consent'].map((name) => [name, nothing]))
  return { ...named, flush: () => Promise.resolve(true), ready, user: () => nobody } as Sojourn
}

function ready(callback?: () => void): Promise<void> {
  return Promise.resolve().then(callback)
}
