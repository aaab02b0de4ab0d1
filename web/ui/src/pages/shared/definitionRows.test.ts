import { expect, test } from 'vitest'

import { definitionRows } from './definitionRows'

test('names are words, and what says nothing is left out', () => {
  expect(definitionRows({ per_means: 'each once', within: null, without: [], n_people: 1200, rules: { window: '7d', direct: '' } })).toEqual([
    ['per means', 'each once'], ['number of people', '1,200'], ['rules', 'window: 7d'],
  ])
})

test('false and nought say something', () => {
  expect(definitionRows({ is_whole: false, seed: 0, steps: ['a', 'b'] })).toEqual([['is whole', 'false'], ['seed', '0'], ['steps', 'a, b']])
})
