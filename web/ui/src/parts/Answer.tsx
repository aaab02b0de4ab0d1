/** The answer of a query: waits, fails and shows, the same way everywhere. */

import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Failure } from './Failure'
import { Spinner, Updating } from './Waiting'

export function Answer<T>({ query, waiting, children }: {
  readonly query: UseQueryResult<T>
  readonly waiting?: ReactNode
  readonly children: (data: T) => ReactNode
}) {
  // Of another question than the page's: that it is not answered yet is told.
  if (query.data !== undefined) return <>{query.isPlaceholderData && <Updating />}{children(query.data)}</>
  if (query.isError) return <Failure error={query.error} onRetry={() => void query.refetch()} />
  return <>{waiting ?? <Spinner />}</>
}
