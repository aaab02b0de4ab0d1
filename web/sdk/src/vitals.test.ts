import { afterEach, describe, expect, test, vi } from 'vitest'
import { addInteraction, addShift, inpOf, vitals, type Shifts } from './vitals'

const NONE: Shifts = { worst: 0, sum: 0, first: 0, last: 0 }

function shifted(...shifts: readonly (readonly [value: number, at: number])[]): number {
  return shifts.reduce((all, [value, at]) => addShift(all, value, at), NONE).worst
}

test('shifts within a second of one another are one window', () => {
  expect(shifted([1, 0], [2, 999], [4, 1_998])).toBe(7)
  expect(shifted([1, 0], [2, 1_000])).toBe(2)
})

test('a window ends after five seconds, and the worst one counts', () => {
  const each = Array.from({ length: 8 }, (_, n) => [1, n * 900] as const)
  expect(shifted(...each)).toBe(6)
})

test('of fifty interactions one outlier is not counted', () => {
  const times = (n: number) => Array.from({ length: n }, (_, id) => [id + 1, id === 0 ? 5_000 : 100 + id] as const)
  const inp = (n: number) => inpOf(times(n).reduce((all, [id, ms]) => addInteraction(all, id, ms), new Map<number, number>()), n)
  expect(inp(0)).toBeNull()
  expect(inp(10)).toBe(5_000)
  expect(inp(60)).toBe(159)
})

test('an interaction is as long as its longest event', () => {
  const once = addInteraction(new Map(), 1, 80)
  expect(inpOf(addInteraction(addInteraction(once, 1, 40), 1, 120), 1)).toBe(120)
})

describe('on a page', () => {
  const hears = new Map<string, (entries: object[]) => void>()

  /** A browser that tells of what a test says it saw. */
  class Observer {
    static supportedEntryTypes = ['paint', 'largest-contentful-paint', 'event', 'first-input']
    private readonly hear: (list: { getEntries: () => object[] }) => void
    constructor(hear: (list: { getEntries: () => object[] }) => void) {
      this.hear = hear
    }
    observe({ type }: { type: string }): void {
      hears.set(type, (entries) => this.hear({ getEntries: () => entries }))
    }
    takeRecords(): object[] {
      return []
    }
    disconnect(): void {}
  }

  function be(state: { visibilityState?: string; prerendering?: boolean; activationStart?: number; interactionCount?: number }): void {
    for (const name of ['visibilityState', 'prerendering'] as const) {
      if (name in state) Object.defineProperty(document, name, { value: state[name], configurable: true })
    }
    vi.stubGlobal('performance', {
      now: () => 0,
      getEntriesByType: () => [{ responseStart: 0, activationStart: state.activationStart ?? 0 }],
      interactionCount: state.interactionCount,
    })
    vi.stubGlobal('PerformanceObserver', Observer)
  }

  /** Measure a page that begins so, see what it tells of, and is left as it is then. */
  function measured(begins: Parameters<typeof be>[0], see: () => void): object {
    let told = {}
    be(begins)
    const end = vitals({ track: (_, properties) => (told = properties) })
    see()
    be({ ...begins, visibilityState: 'hidden', prerendering: false, ...{ activationStart: begins.prerendering ? 5_000 : 0 } })
    document.dispatchEvent(new Event('visibilitychange'))
    end()
    return told
  }

  function paint(at: number): void {
    hears.get('paint')!([{ name: 'first-contentful-paint', startTime: at }])
    hears.get('largest-contentful-paint')!([{ startTime: at }])
  }

  afterEach(() => {
    vi.unstubAllGlobals()
    Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true })
  })

  test('paints of a tab that was opened behind another say nothing', () => {
    expect(measured({ visibilityState: 'visible' }, () => paint(70))).toMatchObject({ fcp: 70, lcp: 70 })
    expect(measured({ visibilityState: 'hidden' }, () => paint(600_000))).toEqual({})
  })

  test('a page that was made ready unseen begins when it is shown', () => {
    expect(measured({ visibilityState: 'hidden', prerendering: true }, () => paint(5_090))).toMatchObject({ fcp: 90, lcp: 90 })
  })

  test('a page that always answers at once has an answer, and short ones count among all', () => {
    const first = () => hears.get('first-input')!([{ interactionId: 1, duration: 8 }])
    expect(measured({ visibilityState: 'visible' }, first)).toEqual({ inp: 8 })
    const slow = () => hears.get('event')!([1, 2, 3].map((n) => ({ interactionId: n, duration: n * 100 })))
    expect(measured({ visibilityState: 'visible', interactionCount: 120 }, slow)).toEqual({ inp: 100 })
  })
})
