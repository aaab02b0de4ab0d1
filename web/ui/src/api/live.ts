/** What moves: one stream of the engine's progress for the whole tab, shared by whoever looks. */

import { useEffect, useRef, useSyncExternalStore } from 'react'
import { listen, throttle, whileSeen, type StreamState } from './stream'

/** How far the engine is: its position in the log, the log's clock in ms, and events not processed yet. */
export interface Progress {
  readonly position: number
  readonly clock: number
  readonly lag: number
}

export interface Live {
  readonly state: StreamState
  readonly progress: Progress | null
}

type Kind = 'progress' | 'journeys'

let live: Live = { state: 'connecting', progress: null }
let end: (() => void) | null = null
const watchers = new Set<() => void>()
const takers: Readonly<Record<Kind, Set<() => void>>> = { progress: new Set(), journeys: new Set() }

/** Call when something moved, at most once in `every_ms`; not while nobody sees the page, but when they do again. */
export function useMoves(kind: Kind, run: () => void, every_ms: number, isOn = true): void {
  const latest = useRef(run)
  latest.current = run
  useEffect(() => {
    if (!isOn) return undefined
    const throttled = throttle(() => latest.current(), every_ms)
    const seen = whileSeen(throttled)
    takers[kind].add(seen.run)
    const leave = watch(() => undefined)
    return () => {
      takers[kind].delete(seen.run)
      seen.end()
      throttled.cancel()
      leave()
    }
  }, [kind, every_ms, isOn])
}

/** Whether the stream is there, and how far the engine is. */
export function useLive(): Live {
  return useSyncExternalStore(watch, () => live)
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  end ??= listen(
    '/api/v1/stream',
    {
      progress: (progress: Progress) => {
        change({ state: 'open', progress })
        for (const take of takers.progress) take()
      },
      journeys: () => {
        for (const take of takers.journeys) take()
      },
    },
    (state) => change({ ...live, state }),
  )
  return () => {
    watchers.delete(watcher)
    // A page that is left for another one takes the stream with it: it ends when nobody looked for a moment.
    setTimeout(() => {
      if (watchers.size > 0 || end === null) return
      end()
      end = null
    }, 1_000)
  }
}

function change(next: Live): void {
  live = next
  for (const watcher of watchers) watcher()
}
