import { expect, test } from 'vitest'

import { partAfter } from './path'

test.each(['ada', 'u:ada', 'a/b', '100%', 'a%2Fb', 'grace hopper?', 'ünï#1'])('the id %s comes out of the path as it went in', (id) => {
  expect(partAfter(`/studio/people/${encodeURIComponent(id)}`, '/people/')).toBe(id)
})

test('a path that is none of ours, or is typed by hand, is no error', () => {
  expect(partAfter('/studio/map', '/people/')).toBe('')
  expect(partAfter('/studio/people/100%', '/people/')).toBe('100%')
})
