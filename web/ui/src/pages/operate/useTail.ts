/** The tail as it is shown: it begins with the newest events, and listens for as long as the page is there. */

import { useEffect, useReducer, useState } from 'react'
import { listEvents, listenToEvents, type TailFilter } from '../../api/operate'
import type { EventHeard } from '../../api/schema'
import type { StreamState } from '../../api/stream'
import { changeTail, EMPTY_TAIL, fits, type Tail, type TailChange } from './tailRows'

const FIRST = 100
/** Events that come close together are drawn together. */
const TOGETHER_MS = 150

export interface Listening {
  readonly tail: Tail
  readonly state: StreamState
  readonly change: (change: TailChange) => void
}

export function useTail(filter: TailFilter): Listening {
  const [tail, change] = useReducer(changeTail, EMPTY_TAIL)
  const [state, setState] = useState<StreamState>('connecting')
  const { source, name, verdict } = filter
  useEffect(() => {
    const wanted = { source, name, verdict }
    const asking = new AbortController()
    let came: EventHeard[] = []
    let skipped = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const flush = () => {
      timer = undefined
      change({ is: 'came', events: came, skipped })
      came = []
      skipped = 0
    }
    const soon = () => { timer ??= setTimeout(flush, TOGETHER_MS) }
    const list = () => {
      listEvents(FIRST, asking.signal)
        .then((events) => change({ is: 'listed', events: events.filter((event) => fits(event, wanted)) }))
        // The stream tells whether the server answers; a beginning that failed is only an empty page.
        .catch(() => undefined)
    }
    let wasLost = false
    change({ is: 'cleared' })
    list()
    const end = listenToEvents(wanted, {
      event: (event) => { came.push(event); soon() },
      skipped: (n) => { skipped += n; soon() },
      state: (now) => {
        setState(now)
        if (now === 'open' && wasLost) list()
        wasLost = now === 'lost' || (wasLost && now !== 'open')
      },
    })
    return () => {
      asking.abort()
      clearTimeout(timer)
      end()
    }
  }, [source, name, verdict])
  return { tail, state, change }
}
