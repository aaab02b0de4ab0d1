import { expect, test } from 'vitest'
import { settle } from './running'
import { DEVICE, PLACE } from './testing/world'
import { begin, keyOf, MAX_HELD, readCall, readKey, step, type Found, type State } from './tracker'
import type { Call, Effect, Event, Input, Options } from './types'

const AT = 1_800_000_000_000
const FOUND: Found = {
  device: DEVICE,
  tab: 'tab-0001',
  person: null,
  anonymousId: 'anon-1',
  preferences: null,
  hasSaidYes: false,
  isRefused: false,
  isHidden: false,
}

function open(options: Partial<Options> = {}, found: Partial<Found> = {}): [State, Effect[]] {
  return begin(settle('key', { host: 'https://events.example', ...options }), { ...FOUND, ...found }, AT)
}

function calling(type: Call['type'], ...args: unknown[]): Input {
  return { kind: 'call', made: { call: readCall(type, args)!, messageId: `m-${type}`, place: PLACE, at: AT } }
}

function saying(said: boolean | Record<string, boolean>, isEcho = false): Input {
  return { kind: 'consent', said, isEcho, anonymousId: 'anon-2', messageId: 'm-consent', place: PLACE }
}

function run(state: State, ...inputs: Input[]): [State, Effect[]] {
  return inputs.reduce<[State, Effect[]]>(
    ([before, effects], input) => {
      const [after, more] = step(before, input, AT)
      return [after, [...effects, ...more]]
    },
    [state, []],
  )
}

function events(effects: readonly Effect[]): Event[] {
  return effects.flatMap((effect) => (effect.kind === 'keep' ? [JSON.parse(effect.text) as Event] : []))
}

test('a track is a message of the Segment API', () => {
  const [state] = open()
  const [event] = events(run(state, calling('track', 'Cart Viewed', { value: 3 }))[1])
  expect(event).toEqual({
    type: 'track',
    event: 'Cart Viewed',
    properties: { value: 3 },
    messageId: 'm-track',
    anonymousId: 'anon-1',
    originalTimestamp: '2027-01-15T08:00:00.000Z',
    context: {
      library: { name: 'sojourn-javascript', version: '0.1.0' },
      page: { url: PLACE.url, path: '/a', search: '?utm_source=news', referrer: '', title: 'A' },
      campaign: { source: 'news' },
      ...DEVICE,
    },
  })
})

test('who was identified stays so, and traits add up until it is somebody else', () => {
  const [state, effects] = run(
    open()[0],
    calling('identify', 'ada', { plan: 'pro' }),
    calling('identify', { city: 'Rome' }),
    calling('track', 'X'),
    calling('identify', 'bob', { plan: 'free' }),
  )
  const [first, second, third, fourth] = events(effects)
  expect(first).toMatchObject({ userId: 'ada', traits: { plan: 'pro' } })
  expect(second).toMatchObject({ userId: 'ada', traits: { plan: 'pro', city: 'Rome' } })
  expect(third).toMatchObject({ userId: 'ada', anonymousId: 'anon-1' })
  expect(fourth?.traits).toEqual({ plan: 'free' })
  expect(state.person).toEqual({ anonymousId: 'anon-1', userId: 'bob', traits: { plan: 'free' }, groupId: null })
})

test('after a reset it is somebody new', () => {
  const [state, effects] = run(open()[0], calling('identify', 'ada'), { kind: 'reset', anonymousId: 'anon-2' }, calling('track', 'X'))
  expect(state.person).toEqual({ anonymousId: 'anon-2', userId: null, traits: {}, groupId: null })
  expect(events(effects).at(-1)).not.toHaveProperty('userId')
})

test.each(['null', 'undefined', '', '0', ' Anonymous ', '[object Object]', null, undefined])('an id that is %o names nobody', (id) => {
  const [state] = run(open()[0], calling('identify', id, { plan: 'pro' }))
  expect(state.person.userId).toBeNull()
  expect(readCall('group', [id])).toBeNull()
  expect(readCall('alias', [id])).toBeNull()
})

test('an alias says which id the new one stands for', () => {
  const [, effects] = run(open()[0], calling('alias', 'ada'), calling('identify', 'ada'), calling('alias', 'ada-2'), calling('alias', 'x', 'y'))
  expect(events(effects).filter((event) => event.type === 'alias').map((event) => [event.userId, event.previousId])).toEqual([
    ['ada', 'anon-1'],
    ['ada-2', 'ada'],
    ['x', 'y'],
  ])
})

test('a page takes what Segment takes', () => {
  expect(readCall('page', [])).toEqual({ type: 'page', properties: {} })
  expect(readCall('page', ['Home'])).toEqual({ type: 'page', name: 'Home', properties: {} })
  expect(readCall('page', ['Docs', 'Home', { a: 1 }])).toEqual({ type: 'page', category: 'Docs', name: 'Home', properties: { a: 1 } })
  expect(readCall('page', [{ a: 1 }])).toEqual({ type: 'page', properties: { a: 1 } })
  expect(readCall('track', [''])).toBeNull()
})

test('before a yes nothing is stored or sent, and then everything is, with its own time', () => {
  const [state, begun] = open({ consent: 'required' })
  const [waiting, silent] = run(state, calling('track', 'A'), calling('identify', 'ada'))
  expect([...begun, ...silent]).toEqual([])
  const [, effects] = step(waiting, saying(true), AT + 60_000)
  expect(events(effects).map((event) => [event.type, event.originalTimestamp])).toEqual([
    ['track', '2027-01-15T08:00:00.000Z'],
    ['identify', '2027-01-15T08:00:00.000Z'],
  ])
  expect(effects.map((effect) => effect.kind)).toContain('saveConsent')
})

test('a no forgets what was held, and takes back what was stored', () => {
  const [state, effects] = run(open({ consent: 'required' })[0], calling('track', 'A'), saying(false), calling('track', 'B'))
  expect(effects).toEqual([{ kind: 'purge' }])
  expect(state.held).toEqual([])
  const [after] = run(open()[0], calling('identify', 'ada'), saying(false))
  expect(after.person).toMatchObject({ anonymousId: 'anon-2', userId: null })
})

test('categories are told at once and with every event; analytics decides over storing', () => {
  const [state, effects] = run(open({ consent: 'required' })[0], saying({ email: true }))
  expect(effects).toEqual([])
  const [, told] = run(state, saying({ analytics: true }), calling('track', 'A'))
  const [update, event] = events(told)
  expect(update).toMatchObject({ event: 'Consent Updated', properties: { consent: { analytics: true } } })
  expect(event?.context).toMatchObject({ consent: { categoryPreferences: { analytics: true, email: true } } })
  expect(events(run(state, saying({ analytics: true }, true))[1])).toEqual([])
})

test('what the browser asks for counts as a no, until somebody says yes', () => {
  const [state] = open({ respectGpc: true }, { isRefused: true })
  expect(run(state, calling('track', 'A'))[1]).toEqual([])
  expect(events(run(state, saying(true), calling('track', 'A'))[1])).toHaveLength(1)
})

test('calls before consent have a bound', () => {
  const calls = Array.from({ length: MAX_HELD + 5 }, () => calling('track', 'A'))
  const [state, effects] = run(open({ consent: 'required' })[0], ...calls)
  expect(state.held).toHaveLength(MAX_HELD)
  expect(new Set(effects.map((effect) => effect.kind))).toEqual(new Set(['warn']))
})

test('what is no JSON, and what is too large, is dropped with a warning', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const codes = [cycle, { n: 1n }, { text: 'x'.repeat(40_000) }].map((properties) => run(open()[0], calling('track', 'A', properties))[1])
  expect(codes.map((effects) => effects.map((effect) => effect.kind === 'warn' && effect.code))).toEqual([
    ['unwritable'],
    ['unwritable'],
    ['too-large'],
  ])
})

test.each([{ n: 1n }, { text: 'x'.repeat(40_000) }])('traits that no event can carry are dropped, and spoil no later one', (traits) => {
  const [state, effects] = run(open()[0], calling('identify', 'ada', { plan: 'pro' }), calling('identify', 'ada', traits), calling('identify', { city: 'Rome' }))
  expect(events(effects).map((event) => event.traits)).toEqual([
    { plan: 'pro' },
    { plan: 'pro' },
    { plan: 'pro', city: 'Rome' },
  ])
  expect(effects).toContainEqual(expect.objectContaining({ kind: 'warn', code: 'traits' }))
  expect(state.person.traits).toEqual({ plan: 'pro', city: 'Rome' })
  const [other] = run(open()[0], calling('identify', 'ada', traits))
  expect(other.person).toMatchObject({ userId: 'ada', traits: {} })
  const [known] = run(open()[0], calling('identify', { plan: 'pro' }), calling('identify', 'ada', traits))
  expect(known.person).toMatchObject({ userId: 'ada', traits: { plan: 'pro' } })
})

test('what is held is what was told, whatever the page does to its objects meanwhile', () => {
  const cart = { value: 1 }
  const [waiting] = run(open({ consent: 'required' })[0], calling('track', 'A', cart))
  cart.value = 2
  expect(events(run(waiting, saying(true))[1])[0]?.properties).toEqual({ value: 1 })
  expect(run(open({ consent: 'required' })[0], calling('track', 'A', { n: 1n }))[1]).toMatchObject([{ kind: 'warn', code: 'unwritable' }])
})

test('who signed out before a yes is signed out after it', () => {
  const reset: Input = { kind: 'reset', anonymousId: 'anon-3' }
  const [state, effects] = run(open({ consent: 'required' })[0], calling('identify', 'ada'), reset, calling('track', 'B'), saying(true))
  expect(events(effects).map((event) => [event.type, event.anonymousId, event.userId])).toEqual([
    ['identify', 'anon-1', 'ada'],
    ['track', 'anon-3', undefined],
  ])
  expect(state.person).toMatchObject({ anonymousId: 'anon-3', userId: null })
  expect(effects.filter((effect) => effect.kind === 'savePerson').at(-1)).toMatchObject({ person: { anonymousId: 'anon-3' } })
})

test.each(['denied', 'yes', 1, null, undefined, { analytics: 'denied' }, ['analytics']])('%o is no word on consent', (said) => {
  for (const options of [{}, { consent: 'required' }] as const) {
    const [begun] = open(options)
    const [state, effects] = run(begun, saying(said as never))
    expect(state.consent).toEqual(begun.consent)
    expect(effects).toMatchObject([{ kind: 'warn', code: 'bad-consent' }])
  }
})

test('after a no nothing is written, though a batch was under way', () => {
  const [sending] = run(open()[0], calling('track', 'A'), { kind: 'due' }, { kind: 'looked', kept: [{ key: 'k', bytes: 9, heldUntil: 0 }], isLocked: false })
  const [refused] = run(sending, saying(false))
  const late: Input = { kind: 'answered', keys: ['k'], status: 503, retryAfterMs: 0, chance: 0 }
  expect(run(refused, late)[1].filter((effect) => effect.kind === 'claim')).toEqual([])
})

test('`before` that returns nothing drops the event, and says so', () => {
  const before = (() => {}) as unknown as (event: Event) => Event
  expect(run(open({ before })[0], calling('track', 'A'))[1]).toMatchObject([{ kind: 'warn', code: 'before' }])
})

test('what pages before this one could not send has the same bound', () => {
  expect(open({ maxEvents: 3 })[1]).toContainEqual({ kind: 'trim', most: 3 })
})

test('`before` may change an event or drop it', () => {
  const before = (event: Event) => (event.event === 'Secret' ? null : { ...event, properties: { seen: true } })
  const [, effects] = run(open({ before })[0], calling('track', 'Secret'), calling('track', 'A'))
  expect(events(effects).map((event) => event.properties)).toEqual([{ seen: true }])
})

test('where `before` fails, the event is dropped and the next one is not', () => {
  let n = 0
  const before = (event: Event) => {
    if (n++ === 0) throw new TypeError('in the page')
    return event
  }
  const [, effects] = run(open({ before })[0], calling('track', 'A'), calling('track', 'B'))
  expect(effects.flatMap((effect) => (effect.kind === 'warn' ? [effect.code] : []))).toEqual(['before'])
  expect(events(effects).map((event) => event.event)).toEqual(['B'])
})

test('two tabs end telling each other of a word', () => {
  const [allowed, first] = run(open({ consent: 'required' })[0], saying({ analytics: true }, true))
  expect(first.map((effect) => effect.kind)).toEqual(['trim', 'wake'])
  const [refused, second] = run(allowed, saying(false, true))
  expect(second).toEqual([{ kind: 'purge' }])
  expect(run(refused, saying(false, true))[1]).toEqual([])
})

test('a full store lets the oldest go', () => {
  const [, effects] = run(open({ maxEvents: 3 })[0], ...Array.from({ length: 4 }, () => calling('track', 'A')))
  expect(effects.filter((effect) => effect.kind === 'trim')).toEqual([{ kind: 'trim', most: 3 }])
})

test('names of events sort by time, then by call, and tell their tab', () => {
  const keys = [keyOf(AT, 35, 'tab-0001', 'z'), keyOf(AT, 36, 'tab-0001', 'a'), keyOf(AT + 1, 0, 'tab-0002', 'a')]
  expect([...keys].sort()).toEqual(keys)
  expect(keys.map(readKey)).toEqual([[AT, 'tab-0001'], [AT, 'tab-0001'], [AT + 1, 'tab-0002']])
})
