import { expect, test } from 'vitest'

import { ApiError } from '../../api/errors'
import { PATIENT } from './patience'

const refused = (status: number) => new ApiError(status, { code: 'x', message: 'x' })

test('a server that is busy is asked again for a while, and what is refused is not', () => {
  expect([PATIENT.retry(0, refused(503)), PATIENT.retry(8, refused(503)), PATIENT.retry(0, refused(422)), PATIENT.retry(0, new Error('bug'))]).toEqual([
    true, false, false, false,
  ])
})

test('it waits longer each time, within a bound', () => {
  expect([0, 1, 2, 9].map(PATIENT.retryDelay)).toEqual([1_000, 2_000, 4_000, 6_000])
})
