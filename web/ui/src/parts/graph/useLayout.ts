/** The layout of a graph, kept as long as its structure is the same: numbers that change move nothing. */

import { useEffect, useMemo, useState } from 'react'
import type { Layout, LayoutTask } from './layout'

/** Null until the first layout is there; the old one until the next is. */
export function useLayout(task: LayoutTask | null): Layout | null {
  const key = useMemo(() => (task ? JSON.stringify(task) : ''), [task])
  const [layout, setLayout] = useState<Layout | null>(null)
  const [failure, setFailure] = useState<unknown>(null)
  useEffect(() => {
    if (!key) return undefined
    let isOver = false
    void import('./layout')
      .then(({ layOut }) => layOut(JSON.parse(key) as LayoutTask))
      .then((found) => { if (!isOver) setLayout(found) })
      .catch((error: unknown) => { if (!isOver) setFailure(error) })
    return () => { isOver = true }
  }, [key])
  // Told by whoever keeps bugs from taking the page away: waiting would never end.
  if (failure !== null) throw failure
  return layout
}
