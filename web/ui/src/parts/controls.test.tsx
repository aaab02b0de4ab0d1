import { act, useState, type ReactNode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TextField } from './Filters'
import { Segments } from './Tabs'

let place: HTMLElement
let root: Root

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
  place = document.createElement('div')
  document.body.append(place)
  root = createRoot(place)
})

afterEach(() => {
  act(() => root.unmount())
  place.remove()
})

test('whoever presses Enter in a field stays in it, and a filter that is cleared empties it', () => {
  draw(<Field />)
  const field = place.querySelector('input') as HTMLInputElement
  act(() => {
    field.focus()
    field.value = ' 7d '
    press(field, 'Enter')
  })
  expect([place.querySelector('output')?.textContent, field.value, document.activeElement === field]).toEqual(['7d', '7d', true])
  act(() => place.querySelector('button')?.click())
  expect(place.querySelector('input')?.value).toBe('')
})

test('of a switch one is reached by Tab, and the others by arrows, round and round', () => {
  draw(<Switch />)
  const chosen = () => place.querySelector('[aria-checked=true]') as HTMLElement
  expect([...place.querySelectorAll('[role=radio]')].map((each) => (each as HTMLElement).tabIndex)).toEqual([0, -1])
  act(() => {
    chosen().focus()
    press(chosen(), 'ArrowLeft')
  })
  expect([chosen().textContent, document.activeElement === chosen()]).toEqual(['Two', true])
})

function Field() {
  const [value, setValue] = useState('')
  return (
    <>
      <TextField label="Within" value={value} onChange={setValue} />
      <output>{value}</output>
      <button type="button" onClick={() => setValue('')}>Clear</button>
    </>
  )
}

function Switch() {
  const [current, setCurrent] = useState<'one' | 'two'>('one')
  return <Segments label="Which" current={current} onChange={setCurrent} tabs={[{ key: 'one', label: 'One' }, { key: 'two', label: 'Two' }]} />
}

function draw(shown: ReactNode): void {
  act(() => root.render(shown))
}

function press(at: HTMLElement, key: string): void {
  at.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
}
