import type { Provider } from '@openfeature/web-sdk'
import { expect, test } from 'vitest'
import { changed, isRefetch, SojournProvider } from './openfeature'

// The web SDK takes it as a provider: this line compiles, or `npm run check` fails.
const provider: Provider = new SojournProvider({ url: 'https://events.example', key: 'page-key' })

test('before there are answers, the application gets its own', () => {
  const { errorCode, reason, value } = provider.resolveBooleanEvaluation('banner', true, {}, console)
  expect([errorCode, reason, value]).toEqual(['PROVIDER_NOT_READY', 'ERROR', true])
})

test('a stream that names the answer that is here says nothing new', () => {
  const said = (etag: string) => JSON.stringify({ type: 'refetchEvaluation', etag })
  expect([said('a'), said('b'), said(''), '{"type":"other"}', 'no JSON'].map((text) => isRefetch(text, '"a"'))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ])
})

test('flags that came, went, or are answered otherwise have changed', () => {
  const flags = (values: Record<string, number>) => new Map(Object.entries(values).map(([key, value]) => [key, { key, value }]))
  expect(changed(flags({ a: 1, b: 2, c: 3 }), flags({ b: 2, c: 4, d: 5 }))).toEqual(['a', 'c', 'd'])
})
