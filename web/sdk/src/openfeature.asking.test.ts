import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SojournProvider } from './openfeature'

const FLAG = { key: 'banner', value: 'free', variant: 'free', reason: 'SPLIT' }

/** What the server answers next, each once; then it answers nothing. */
let answers: (() => Promise<Response> | Response)[] = []
let asked: string[] = []
let person = 'a-1'
const told: unknown[] = []
const sojourn = { user: () => ({ anonymousId: person, userId: null, traits: {}, groupId: null }), track: (...said: unknown[]) => void told.push(said) }

function flags(...all: object[]): () => Response {
  return () => new Response(JSON.stringify({ flags: all }), { headers: { ETag: 'e' } })
}

function open(): [SojournProvider, string[]] {
  const provider = new SojournProvider({ url: 'https://events.example', key: 'key', sojourn })
  const heard: string[] = []
  for (const type of ['PROVIDER_READY', 'PROVIDER_STALE', 'PROVIDER_CONFIGURATION_CHANGED']) provider.events.addHandler(type, () => heard.push(type))
  return [provider, heard]
}

function show(state: string): void {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

beforeEach(() => {
  vi.useFakeTimers()
  ;[answers, asked, person] = [[], [], 'a-1']
  told.length = 0
  vi.stubGlobal('fetch', (_: string, { body, signal }: RequestInit) => {
    asked.push(JSON.parse(String(body)).context.targetingKey)
    const answer = answers.shift()
    if (answer) return Promise.resolve(answer())
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new DOMException('late', 'AbortError'))))
  })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  show('visible')
})

test.each(['<html>Sign in to the hotel</html>', '{"flags": null}'])('a 200 that is no answer is none: %s', async (text) => {
  answers = [() => new Response(text), flags(FLAG)]
  const [provider, heard] = open()
  await expect(provider.initialize()).rejects.toThrow('no decisions')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(heard).toEqual(['PROVIDER_READY'])
  expect(provider.resolveStringEvaluation('banner', '?').value).toBe('free')
})

test('a server that takes the question and says nothing is given up, and asked again', async () => {
  const [provider] = open()
  const begun = expect(provider.initialize()).rejects.toThrow('no answer')
  await vi.advanceTimersByTimeAsync(10_000)
  await begun
  answers = [flags(FLAG)]
  await vi.advanceTimersByTimeAsync(2_000)
  expect(provider.resolveStringEvaluation('banner', '?').value).toBe('free')
})

test('a page that is hidden and shown meanwhile still asks again', async () => {
  answers = [flags(FLAG), () => new Response('', { status: 503 }), flags({ ...FLAG, value: 'none' })]
  const [provider, heard] = open()
  await provider.initialize()
  await expect(provider.onContextChange({}, { plan: 'pro' })).rejects.toThrow('503')
  show('hidden')
  show('visible')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(provider.resolveStringEvaluation('banner', '?').value).toBe('none')
  expect(heard.at(-1)).toBe('PROVIDER_READY')
})

test('a question that a newer one has overtaken ends as the newer one does', async () => {
  let answer = (_: Response) => {}
  answers = [() => new Promise((resolve) => (answer = resolve)), flags(FLAG)]
  const [provider] = open()
  const first = provider.initialize()
  const second = provider.onContextChange({}, { plan: 'pro' })
  answer(new Response('', { status: 500 }))
  await Promise.all([first, second])
  expect(provider.resolveStringEvaluation('banner', '?').value).toBe('free')
  const third = provider.onContextChange({}, {})
  await provider.onClose()
  await third
})

test('after a reset the answers are asked for anew, and what was drawn for another is no exposure', async () => {
  answers = [flags(FLAG), flags({ ...FLAG, value: 'none', variant: 'none' })]
  const [provider, heard] = open()
  await provider.initialize()
  person = 'a-2'
  provider.resolveStringEvaluation('banner', '?')
  expect(told).toEqual([])
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual(['a-1', 'a-2'])
  expect(heard).toEqual(['PROVIDER_CONFIGURATION_CHANGED'])
  expect(provider.resolveStringEvaluation('banner', '?').value).toBe('none')
  expect(told).toMatchObject([['Flag Exposed', { variant: 'none' }]])
})
