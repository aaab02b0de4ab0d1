import { describe, expect, test } from 'vitest'

import type { EventHeard, SinkView, SourceView } from '../../api/schema'
import { bytes, lagOf, sdkRows, sortedSinks, toneOfLag, toneOfSink } from './health'
import { changeTail, EMPTY_TAIL, fits, MAX_ROWS, MAX_WAITING, whoOf } from './tailRows'

const event = (name: string) => ({ at: 1, source: 'shop', type: 'track', name, user_id: null, anonymous_id: 'd', verdict: 'taken' }) as EventHeard
const events = (n: number) => Array.from({ length: n }, (_, i) => event(String(i)))

describe('the tail', () => {
  test('the newest stands at the top, and each row keeps its key', () => {
    const once = changeTail(EMPTY_TAIL, { is: 'came', events: [event('a'), event('b')] })
    const twice = changeTail(once, { is: 'came', events: [event('c')], skipped: 4 })
    expect(twice.rows.map((row) => [row.name, row.key])).toEqual([['c', 2], ['b', 1], ['a', 0]])
    expect([twice.nSeen, twice.nSkipped]).toEqual([3, 4])
  })

  test('what is listed stands between what came by the stream, and each event stands once', () => {
    const at = (name: string, time: number) => ({ ...event(name), at: time })
    const streamed = changeTail(EMPTY_TAIL, { is: 'came', events: [at('c', 3)] })
    const both = changeTail(streamed, { is: 'listed', events: [at('d', 4), at('c', 3), at('b', 2)] })
    expect(both.rows.map((row) => row.name)).toEqual(['d', 'c', 'b'])
    expect(new Set(both.rows.map((row) => row.key)).size).toBe(3)
    const late = changeTail(both, { is: 'came', events: [at('d', 4), at('e', 5)] })
    expect(late.rows.map((row) => row.name)).toEqual(['e', 'd', 'c', 'b'])
  })

  test('what is listed while it is paused waits with the rest', () => {
    const paused = changeTail(changeTail(EMPTY_TAIL, { is: 'paused' }), { is: 'came', events: [{ ...event('b'), at: 2 }] })
    const both = changeTail(paused, { is: 'listed', events: [{ ...event('c'), at: 3 }, { ...event('b'), at: 2 }, { ...event('a'), at: 1 }] })
    expect([both.rows, both.waiting.map((row) => row.name)]).toEqual([[], ['a', 'b', 'c']])
  })

  test('it holds so many rows, and no more', () => {
    const full = changeTail(EMPTY_TAIL, { is: 'came', events: events(MAX_ROWS + 5) })
    expect(full.rows).toHaveLength(MAX_ROWS)
    expect(full.rows[0]!.name).toBe(String(MAX_ROWS + 4))
  })

  test('a pause keeps what comes, up to a bound, and shows it afterwards', () => {
    const paused = changeTail(changeTail(EMPTY_TAIL, { is: 'came', events: [event('a')] }), { is: 'paused' })
    const grown = changeTail(paused, { is: 'came', events: events(MAX_WAITING + 1) })
    expect([grown.rows.length, grown.waiting.length]).toEqual([1, MAX_WAITING])
    const resumed = changeTail(grown, { is: 'resumed' })
    expect([resumed.isPaused, resumed.waiting.length, resumed.rows[0]!.name]).toEqual([false, 0, String(MAX_WAITING)])
  })

  test('clearing leaves it paused where it was, and never gives a key twice', () => {
    const cleared = changeTail(changeTail(changeTail(EMPTY_TAIL, { is: 'paused' }), { is: 'came', events: events(3) }), { is: 'cleared' })
    expect([cleared.isPaused, cleared.nSeen, cleared.rows, cleared.waiting]).toEqual([true, 3, [], []])
  })

  test('a filter leaves out what it names otherwise, and an empty one nothing', () => {
    const no = { source: '', name: '', verdict: '' }
    expect([no, { ...no, source: 'shop' }, { ...no, source: 'app' }, { ...no, name: 'a' }, { ...no, name: 'b' }, { ...no, verdict: 'failed' }].map((filter) => fits(event('a'), filter))).toEqual([
      true, true, false, true, false, false,
    ])
  })

  test('an event is of its user, or else of a device', () => {
    expect([whoOf(event('a')), whoOf({ ...event('a'), user_id: 'ada' }), whoOf({ ...event('a'), anonymous_id: null })]).toEqual(['d', 'ada', ''])
  })
})

describe('health', () => {
  const sink = (name: string, state: SinkView['state'], dead = 0) => ({ name, state, dead }) as SinkView

  test('an engine that is a little behind is busy, and far behind is in trouble', () => {
    expect(lagOf({ position: 7, log_end: 10 })).toBe(3)
    expect(lagOf({ position: 10, log_end: 7 })).toBe(0)
    expect([0, 100, 10_000].map(toneOfLag)).toEqual(['good', 'warn', 'bad'])
  })

  test('sinks that want to be looked at come first', () => {
    const sinks = [sink('a', 'idle'), sink('b', 'delivering'), sink('c', 'idle', 2), sink('d', 'backing-off')]
    expect(sortedSinks(sinks).map((one) => [one.name, toneOfSink(one)])).toEqual([
      ['d', 'bad'], ['c', 'warn'], ['b', 'good'], ['a', 'plain'],
    ])
  })

  test('bytes are told in the unit that fits', () => {
    expect([0, 999, 1_500, 250_000_000, 7e15].map(bytes)).toEqual(['0 B', '999 B', '1.5 kB', '250 MB', '7000 TB'])
  })

  test('an SDK is old where the same source sends a version that came later', () => {
    const sdk = (version: string, first_at: number, last_at: number) => ({ name: 'js', version, n: 1, first_at, last_at, last_event: 'x' })
    const sources = [{ name: 'shop', write_key_hint: '…abcd', sdks: [sdk('1.0', 1, 50), sdk('2.0', 9, 40)] }] as unknown as readonly SourceView[]
    expect(sdkRows(sources).map((row) => [row.version, row.isOld])).toEqual([['1.0', true], ['2.0', false]])
  })
})
