import { expect, test } from 'vitest'

import type { ProfileView } from '../../api/schema'
import { askedId, idsOf, journeysOf, nameOf, visitsOf } from './person'

const nobody = {
  id: 'u:ada', user_ids: ['ada'], anonymous_ids: ['d-1'], first_seen_at: 1, last_seen_at: 9, n_events: 3, traits: {},
  sessions: [], enrolments: [], variants: {}, segments: {}, timeline: [],
} as unknown as ProfileView

test('how an id was joined is told in words, and a way without words by its name', () => {
  const ids = [{ id: 'd-1', kind: 'anonymous', since: 7, how: 'identify' }, { id: 'x', kind: 'user', since: 4, how: 'teleported' }]
  expect(idsOf({ ...nobody, ids } as unknown as ProfileView)).toEqual([
    { id: 'd-1', kind: 'anonymous', since: 7, how: 'signed in: an identify call named the device’s user' },
    { id: 'x', kind: 'user', since: 4, how: 'teleported' },
  ])
})

test('a person is called by name, else by address, else by an id', () => {
  expect(nameOf({ ...nobody, traits: { email: 'a@x.se', name: 'Ada' } } as unknown as ProfileView)).toBe('Ada')
  expect(nameOf({ ...nobody, traits: { email: 'a@x.se', name: 7 } } as unknown as ProfileView)).toBe('a@x.se')
  expect([nameOf(nobody), askedId(nobody)]).toEqual(['ada', 'ada'])
})

test('visits span whatever is known, and nothing known is no span', () => {
  const session = { id: 's', started_at: 10, ended_at: 20, n_events: 2, channel: '' }
  const goal = { type: 'goal', profile_id: 'u:ada', at: 35, position: 1, journey: 'rescue', version: 'v', enrolment_id: 'e' }
  const visits = visitsOf({ ...nobody, sessions: [session], timeline: [goal] } as unknown as ProfileView)
  expect([visits!.from, visits!.to, visits!.goals]).toEqual([10, 35, [{ at: 35, journey: 'rescue' }]])
  expect(visitsOf(nobody)).toBeNull()
})

test('journeys somebody is inside come before those that are over', () => {
  const fact = (journey: string) => ({ type: 'not_entered', profile_id: 'u', at: 1, position: 1, journey, version: 'v', reason: 'paused' })
  const profile = { ...nobody, enrolments: [{ journey: 'b' }], timeline: [fact('a'), fact('b')] } as unknown as ProfileView
  expect(journeysOf(profile)).toEqual([{ name: 'b', isInside: true }, { name: 'a', isInside: false }])
})
