/** A list that grows: its pages one after another, until there are no older ones. */

import { useInfiniteQuery } from '@tanstack/react-query'

/** How often what came since is looked for. */
const LOOK_MS = 5_000

export interface Page<Item, Cursor> {
  readonly items: readonly Item[]
  readonly next: Cursor | null
}

export function usePages<Item, Cursor>(
  key: readonly unknown[], ask: (before: Cursor | null, signal: AbortSignal) => Promise<Page<Item, Cursor>>,
) {
  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => ask(pageParam as Cursor | null, signal),
    initialPageParam: null as Cursor | null,
    getNextPageParam: (page: Page<Item, Cursor>) => page.next,
    refetchInterval: LOOK_MS,
  })
  return { pages, items: pages.data?.pages.flatMap((page) => page.items) ?? null }
}
