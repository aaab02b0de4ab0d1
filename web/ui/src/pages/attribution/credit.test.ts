import { expect, test } from 'vitest'

import type { CausalAnswer, Credit, ModelAnswer, UnitAnswer } from './answers'
import { channelRows, creditSheet, modelsOf, otherUnits, removals } from './credit'

const credit = (channel: string, conversions: number, converting: number, more: Partial<Credit> = {}) =>
  ({ channel, conversions, converting, low: null, high: null, share: 0, journeys: 10, people: 9, removal_effect: null, is_rare: false, ...more }) as Credit

const model = (name: string, channels: readonly Credit[]) => ({ model: name, channels }) as unknown as ModelAnswer

const unit = (name: string, estimate: number | null, kind: UnitAnswer['kind'] = 'channel') =>
  ({ kind, name, held: 4, verdict: 'unclear', incremental: { estimate, low: -1, high: 9 } }) as unknown as UnitAnswer

const causal = (...units: UnitAnswer[]) => ({ units }) as unknown as CausalAnswer

test('one model alone is answered as itself, several in the order people meet them', () => {
  const last = model('last', [])
  expect(modelsOf(last)).toEqual([last])
  expect(modelsOf([model('new-one', []), model('shapley', []), model('first', [])]).map((one) => one.model)).toEqual([
    'first', 'shapley', 'new-one',
  ])
})

test('channels come by how many paths that convert they are in, and (none) last', () => {
  const rows = channelRows([model('last', [credit('(none)', 5, 99), credit('email', 1, 2), credit('brand', 3, 7)])], null)
  expect(rows.map((row) => row.channel)).toEqual(['brand', 'email', '(none)'])
})

test('a channel with a hold-out and no touch is there, too', () => {
  const rows = channelRows([model('last', [credit('email', 4, 4)])], causal(unit('push', 2)))
  expect(rows.map((row) => [row.channel, row.caused?.incremental.estimate ?? null])).toEqual([['email', null], ['push', 2]])
})

test('the model that is furthest from what was brought about is named, with its sign', () => {
  const models = [model('last', [credit('brand', 40, 5)]), model('first', [credit('brand', 3, 5)])]
  expect(channelRows(models, causal(unit('brand', 10)))[0]!.mostOff).toEqual({ model: 'last', by: 30 })
  expect(channelRows(models, causal(unit('brand', null)))[0]!.mostOff).toBeNull()
})

test('hold-outs of journeys are not mixed with channels', () => {
  const answer = causal(unit('rescue', 3, 'journey'), unit('email', 1))
  expect(otherUnits(answer).map((one) => one.name)).toEqual(['rescue'])
  expect(channelRows([], answer).map((row) => row.channel)).toEqual(['email'])
})

test('removal effects come from the model that has them, the largest first', () => {
  const markov = model('markov', [credit('a', 1, 1, { removal_effect: 0.2 }), credit('b', 1, 1, { removal_effect: 0.7 })])
  expect(removals([model('last', [credit('a', 1, 1)]), markov]).map((one) => one.channel)).toEqual(['b', 'a'])
  expect(removals([model('last', [credit('a', 1, 1)])])).toEqual([])
})

test('a sheet has as many cells in each row as columns', () => {
  const models = [model('last', [credit('a', 1, 1)]), model('first', [credit('b', 1, 1)])]
  const sheet = creditSheet(channelRows(models, null), models)
  expect(sheet.rows.map((row) => row.length)).toEqual([sheet.columns.length, sheet.columns.length])
})
