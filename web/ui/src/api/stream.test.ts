import { expect, test, vi } from 'vitest'
import { throttle, whileSeen } from './stream'

test('what is asked for behind another window runs once, when the page is seen again', () => {
  const page = Object.assign(new EventTarget(), { hidden: false })
  const run = vi.fn()
  const seen = whileSeen(run, page as unknown as Document)
  seen.run()
  page.hidden = true
  for (let i = 0; i < 3; i += 1) seen.run()
  expect(run).toHaveBeenCalledTimes(1)
  page.hidden = false
  page.dispatchEvent(new Event('visibilitychange'))
  page.dispatchEvent(new Event('visibilitychange'))
  expect(run).toHaveBeenCalledTimes(2)
  seen.end()
  page.hidden = true
  seen.run()
  page.hidden = false
  page.dispatchEvent(new Event('visibilitychange'))
  expect(run).toHaveBeenCalledTimes(2)
})

test('what comes often runs at once, and once more for the rest', () => {
  vi.useFakeTimers()
  try {
    const run = vi.fn()
    const throttled = throttle(run, 500, () => Date.now())
    for (let i = 0; i < 4; i += 1) throttled()
    expect(run).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(600)
    expect(run).toHaveBeenCalledTimes(2)
    vi.advanceTimersByTime(5_000)
    expect(run).toHaveBeenCalledTimes(2)
  } finally {
    vi.useRealTimers()
  }
})
