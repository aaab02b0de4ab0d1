/** Server-sent events: one stream that comes back by itself, and says whether it is there. */

export type StreamState = 'connecting' | 'open' | 'lost'

const FIRST_WAIT_MS = 1_000
/** A stream that was lost is asked for again at least this often. */
const LONGEST_WAIT_MS = 30_000

/** Listen to a path. `told` maps the names of events to what to do with their data, read as JSON.
 *
 * Returns a function that ends it.
 */
export function listen(
  path: string,
  told: Readonly<Record<string, (data: never) => void>>,
  onState: (state: StreamState) => void = () => undefined,
): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let wait_ms = FIRST_WAIT_MS
  let isOver = false

  const open = () => {
    onState('connecting')
    source = new EventSource(path)
    source.onopen = () => {
      wait_ms = FIRST_WAIT_MS
      onState('open')
    }
    source.onerror = () => {
      if (isOver) return
      onState('lost')
      // A browser tries again by itself where the network failed, and not where the server refused.
      if (source?.readyState === EventSource.CLOSED) again()
    }
    for (const [name, take] of Object.entries(told)) {
      source.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as never))
    }
  }
  const again = () => {
    source?.close()
    clearTimeout(timer)
    timer = setTimeout(open, wait_ms)
    wait_ms = Math.min(wait_ms * 2, LONGEST_WAIT_MS)
  }
  open()
  return () => {
    isOver = true
    clearTimeout(timer)
    source?.close()
  }
}

/** Run only while the page is seen: what was asked for meanwhile runs once, when it is seen again. */
export function whileSeen(run: () => void, page: Document = document): { readonly run: () => void; readonly end: () => void } {
  let isOwed = false
  const asked = () => {
    if (page.hidden) isOwed = true
    else run()
  }
  const turned = () => {
    if (page.hidden || !isOwed) return
    isOwed = false
    run()
  }
  page.addEventListener('visibilitychange', turned)
  return { run: asked, end: () => page.removeEventListener('visibilitychange', turned) }
}

/** Call at most once in `every_ms`: at once where it was quiet, and once more for what came meanwhile. */
export function throttle(run: () => void, every_ms: number, now: () => number = () => performance.now()): {
  (): void
  cancel(): void
} {
  let ranAt = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined
  const go = () => {
    timer = undefined
    ranAt = now()
    run()
  }
  const asked = () => {
    if (timer !== undefined) return
    const left_ms = ranAt + every_ms - now()
    if (left_ms <= 0) go()
    else timer = setTimeout(go, left_ms)
  }
  asked.cancel = () => {
    clearTimeout(timer)
    timer = undefined
  }
  return asked
}
