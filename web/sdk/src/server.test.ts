// @vitest-environment node
import { expect, test } from 'vitest'
import { autocapture } from './autocapture'
import { load } from './index'
import { SojournProvider } from './openfeature'
import { vitals } from './vitals'

test('where there is no page, the same module may run, and does nothing', async () => {
  const sojourn = load('key', { host: 'https://events.example' })
  autocapture(sojourn)()
  vitals(sojourn)()
  sojourn.track('A')
  expect(await sojourn.flush()).toBe(true)
  expect(new SojournProvider({ url: 'https://events.example', key: 'key', sojourn }).runsOn).toBe('client')
})
