/** What a page shows stands in its address: hooks over the query, so that every view can be shared. */

import { useCallback, useMemo } from 'react'
import { useLocation, useSearch } from 'wouter'

export interface Address {
  /** The value of a parameter; empty where it is not there. */
  get(name: string): string
  all(name: string): readonly string[]
  /** Change some parameters, leave the others; empty takes one out. Does not fill the history, unless asked to. */
  set(changes: Readonly<Record<string, string | readonly string[] | null>>, isStep?: boolean): void
}

export function useAddress(): Address {
  const search = useSearch()
  const [path, go] = useLocation()
  const query = useMemo(() => new URLSearchParams(search), [search])
  const set = useCallback<Address['set']>((changes, isStep = false) => {
    // What is there now, and not at the last drawing: two changes in one go must not lose one another.
    const written = changed(new URLSearchParams(location.search), changes).toString()
    go(written ? `${path}?${written}` : path, { replace: !isStep })
  }, [path, go])
  return useMemo(
    () => ({ get: (name) => query.get(name) ?? '', all: (name) => query.getAll(name), set }),
    [query, set],
  )
}

/** Return a query with some parameters changed. */
export function changed(
  query: URLSearchParams, changes: Readonly<Record<string, string | readonly string[] | null>>,
): URLSearchParams {
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name)
    if (typeof value === 'string') {
      if (value) next.set(name, value)
    } else for (const each of value ?? []) next.append(name, each)
  }
  return next
}

/** The parameter if it is one of those that are known, else the first of them. */
export function oneOf<Key extends string>(given: string, known: readonly [Key, ...Key[]]): Key {
  return known.includes(given as Key) ? (given as Key) : known[0]
}
