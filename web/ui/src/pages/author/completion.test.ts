import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { placeAt, suggest } from './completion'

const SCHEMA = JSON.parse(readFileSync(`${import.meta.dirname}/../../../../../docs/reference/journey.schema.json`, 'utf8'))
const WORDS = { events: ['Viewed', 'Bought'], states: ['waiting', 'sent'] }
/** What is offered where the text has a bar. */
const offered = (text: string) => {
  const at = text.indexOf('|')
  return suggest(SCHEMA, placeAt(text.replace('|', ''), at), WORDS).map((each) => each.label)
}

test('at the top, the keys of a journey that are not there yet', () => {
  expect(offered('journey: a\n|')).toEqual(expect.arrayContaining(['entry', 'goal', 'states', 'steps']))
  expect(offered('journey: a\n|')).not.toContain('journey')
})

test('inside an object, its keys, also between braces', () => {
  expect(offered('entry:\n  |')).toEqual(expect.arrayContaining(['on', 'when', 'reentry']))
  const between = offered('entry: { on: Viewed, | }')
  expect(between).toContain('reentry')
  expect(between).not.toContain('on')
})

test('after a key, the values it may have', () => {
  expect(offered('entry: { on: A, reentry: |')).toEqual(expect.arrayContaining(['never', 'after_exit', 'always']))
  expect(offered('entry:\n  api: |')).toEqual(expect.arrayContaining(['true', 'false']))
})

test('events where an event is meant, and states where a way leads', () => {
  expect(offered('entry:\n  on: |')).toEqual(expect.arrayContaining(['Viewed', 'Bought']))
  expect(offered('states:\n  waiting:\n    after: { 1d: |')).toEqual(expect.arrayContaining(['waiting', 'sent', 'done']))
  expect(offered('states:\n  waiting:\n    on:\n      |')).toEqual(expect.arrayContaining(['Viewed']))
})

test('a state knows its keys, and a step in a list its kinds', () => {
  expect(offered('states:\n  waiting:\n    |')).toEqual(expect.arrayContaining(['on', 'after', 'branch', 'do']))
  expect(offered('steps:\n  - |')).toEqual(expect.arrayContaining(['send', 'wait', 'branch', 'split']))
})
