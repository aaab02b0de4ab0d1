import { expect, test } from 'vitest'
import { whoOf } from './who'

test('who signed in with the admin token is called in words, and accounts by their names', () => {
  expect(['$operator', 'ada'].map(whoOf)).toEqual(['Operator', 'ada'])
})
