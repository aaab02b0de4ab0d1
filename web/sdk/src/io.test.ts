import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { settle } from './running'
import { openWorld } from './io'
import type { Input, Options, Person } from './types'

const PREFIX = 'sojourn_key_'
const NAMES = ['pushState', 'replaceState'] as const

function open(options: Partial<Options> = {}): [ReturnType<typeof openWorld>, Input[]] {
  const heard: Input[] = []
  return [openWorld(settle('key', { host: 'https://events.example', ...options }), (input) => heard.push(input)), heard]
}

function somebody(anonymousId: string, userId: string | null = null): Person {
  return { anonymousId, userId, traits: {}, groupId: null }
}

function isOver(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20))
}

beforeEach(() => {
  localStorage.clear()
  document.cookie = 'sojourn_id=; max-age=0; path=/'
})

afterEach(() => {
  for (const name of NAMES) delete (history as Partial<History>)[name]
  vi.restoreAllMocks()
})

test('of two tabs that write at once both have who was written last', () => {
  const [, heard] = open()
  localStorage.setItem(PREFIX + 'person', JSON.stringify(somebody('last')))
  const newValue = JSON.stringify(somebody('first'))
  window.dispatchEvent(new StorageEvent('storage', { key: PREFIX + 'person', newValue }))
  expect(heard).toEqual([{ kind: 'person', person: somebody('last') }])
})

test('who signed out on another subdomain is not signed in here', () => {
  localStorage.setItem(PREFIX + 'person', JSON.stringify(somebody('a-1', 'ada')))
  expect(open()[0].find().person).toEqual(somebody('a-1', 'ada'))
  document.cookie = 'sojourn_id=a-2; path=/'
  expect(open()[0].find()).toMatchObject({ person: null, anonymousId: 'a-2' })
})

test.each([
  ['required', []],
  ['granted', [PREFIX + 'consent']],
] as const)('a no leaves nothing, but itself where a yes is presumed: %s', (consent, left) => {
  const [world] = open({ consent })
  world.perform({ kind: 'savePerson', person: somebody('a-1') })
  world.perform({ kind: 'keep', key: 'k', text: '{}' })
  world.perform({ kind: 'purge' })
  expect(Object.keys(localStorage)).toEqual(left)
  expect(open({ consent })[0].find()).toMatchObject({ isRefused: left.length > 0, hasSaidYes: false })
})

test.each([
  ['required', null, { kind: 'consent', said: false, isEcho: true }],
  ['granted', 'no', { kind: 'consent', said: false, isEcho: true }],
  ['required', '{"email":true}', { kind: 'consent', said: { email: true, analytics: true }, isEcho: true }],
] as const)('a page that comes back from the cache hears what was said meanwhile: %s, %s', (consent, said, input) => {
  const before = said?.startsWith('{') ? null : 'null'
  const write = (text: string | null) => (text === null ? localStorage.removeItem(PREFIX + 'consent') : localStorage.setItem(PREFIX + 'consent', text))
  write(before)
  const [, heard] = open({ consent })
  const words = () => heard.filter(({ kind }) => kind === 'consent' || kind === 'person')
  const back = () => {
    window.dispatchEvent(new Event('pagehide'))
    return () => window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  }
  back()()
  expect(words()).toEqual([])
  const comesBack = back()
  write(said)
  localStorage.setItem(PREFIX + 'person', JSON.stringify(somebody('a-2')))
  comesBack()
  expect(words()).toMatchObject([{ kind: 'person', person: somebody('a-2') }, input])
})

test('an event that waits outlives a page that clears its storage', () => {
  const [world, heard] = open()
  world.perform({ kind: 'keep', key: 'k', text: '{}' })
  localStorage.clear()
  world.perform({ kind: 'list' })
  expect(heard).toMatchObject([{ kept: [{ key: 'k', bytes: 2 }] }])
})

test('an event that another tab has sent is not kept', () => {
  const [world, heard] = open()
  world.perform({ kind: 'keep', key: 'k', text: '{}' })
  localStorage.removeItem(PREFIX + 'q_k')
  window.dispatchEvent(new StorageEvent('storage', { key: PREFIX + 'q_k', newValue: null }))
  world.perform({ kind: 'list' })
  expect(heard).toEqual([{ kind: 'listed', kept: [] }])
})

test('the oldest go, whichever page made them, and the console is told once', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const [world, heard] = open()
  for (const key of ['1', '2', '3', '4']) world.perform({ kind: 'keep', key, text: '{}' })
  for (const most of [4, 3, 2]) world.perform({ kind: 'trim', most })
  world.perform({ kind: 'list' })
  expect(heard).toMatchObject([{ kept: [{ key: '3' }, { key: '4' }] }])
  expect(warn).toHaveBeenCalledTimes(1)
})

test('who patched the history before us still gives its answer', () => {
  history.pushState = (() => 'theirs') as never
  open()[0].onPage(() => {})
  expect(history.pushState({}, '', location.href)).toBe('theirs')
})

test('a history that somebody froze is left alone', () => {
  const own = Object.getOwnPropertyDescriptor(window, 'history')!
  Object.defineProperty(window, 'history', { value: Object.freeze(Object.create(history)), configurable: true })
  expect(() => open()[0].onPage(() => {})).not.toThrow()
  Object.defineProperty(window, 'history', own)
})

test('another query in the place of the same page is the same page; another path, or a step on, is not', async () => {
  let n = 0
  const seen: number[] = []
  open()[0].onPage(() => n++)
  await isOver()
  for (const [name, url] of [
    ['replaceState', '/?filter=1'],
    ['replaceState', '/other'],
    ['pushState', '/other?step=2'],
  ] as const) {
    history[name]({}, '', url)
    await isOver()
    seen.push(n)
  }
  expect(seen).toEqual([1, 2, 3])
})
