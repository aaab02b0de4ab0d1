/** Patience with questions about what people did: they are answered one at a time, and some wait for others. */

import { ApiError } from '../../api/errors'

const MOST_TRIES = 8
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 6_000

/** How a query that asks such a question is tried again: only where the server said that it is busy now. */
export const PATIENT = {
  retry: (nFailed: number, error: Error) => nFailed < MOST_TRIES && error instanceof ApiError && error.isPassing,
  retryDelay: (nFailed: number) => Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** nFailed),
}
