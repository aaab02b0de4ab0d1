import { expect, test } from 'vitest'

import { prettyBody } from './bodies'

test('JSON is told over several lines, and what is none as it came', () => {
  expect(prettyBody('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}')
  expect(prettyBody('{"a": cut off')).toBe('{"a": cut off')
  expect(prettyBody({ a: 1 })).toBe('{\n  "a": 1\n}')
})
