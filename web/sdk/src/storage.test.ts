import { afterEach, expect, test } from 'vitest'
import { settle } from './running'
import { openStore } from './storage'

const LOCAL = settle('key', { host: 'https://events.example' })
const { setItem } = Storage.prototype

afterEach(() => {
  Storage.prototype.setItem = setItem
  localStorage.clear()
})

test('names are kept in order, and told by how they begin', () => {
  const store = openStore(LOCAL)
  for (const name of ['q_b', 'person', 'q_a']) store.set(name, name)
  localStorage.setItem('of-the-page', 'x')
  expect(store.names('q_')).toEqual(['q_a', 'q_b'])
  expect(store.names('')).toEqual(['person', 'q_a', 'q_b'])
  store.remove('q_a')
  expect([store.get('q_a'), store.get('q_b')]).toEqual([null, 'q_b'])
})

test('opening writes nothing', () => {
  const written: string[] = []
  Storage.prototype.setItem = (name: string) => void written.push(name)
  openStore(LOCAL)
  expect(written).toEqual([])
})

test('what finds no room is in memory, and the newer text counts', () => {
  const store = openStore(LOCAL)
  store.set('a', 'old')
  Storage.prototype.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  store.set('a', 'new')
  store.set('b', 'b')
  expect([store.get('a'), store.get('b'), store.names('')]).toEqual(['new', 'b', ['a', 'b']])
  Storage.prototype.setItem = setItem
  store.set('a', 'newest')
  expect(openStore(LOCAL).get('a')).toBe('newest')
})

test('a disk that is taken away meanwhile does no harm', () => {
  const store = openStore(LOCAL)
  store.set('a', 'a')
  const own = { ...Object.getOwnPropertyDescriptors(Storage.prototype) }
  const forbid = () => {
    throw new DOMException('forbidden', 'SecurityError')
  }
  for (const name of ['getItem', 'setItem', 'removeItem', 'key'] as const) Storage.prototype[name] = forbid
  store.set('b', 'b')
  store.remove('a')
  const found = [store.get('a'), store.get('b'), store.names('')]
  Object.defineProperties(Storage.prototype, own)
  expect(found).toEqual([null, 'b', ['b']])
})

test('of memory alone nothing is on disk', () => {
  openStore(settle('key', { host: '', storage: 'memory' })).set('a', 'a')
  expect(localStorage.length).toBe(0)
})
