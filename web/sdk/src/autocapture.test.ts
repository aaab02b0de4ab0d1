import { afterEach, expect, test, vi } from 'vitest'
import { autocapture } from './autocapture'

afterEach(() => vi.restoreAllMocks())

test('a page whose element is not as elements are feels nothing', () => {
  const complain = vi.spyOn(console, 'error').mockImplementation(() => {})
  const broken: unknown[] = []
  const hear = (event: ErrorEvent) => void broken.push(event.error)
  addEventListener('error', hear)
  const told: string[] = []
  const end = autocapture({ track: (event) => told.push(event) })
  document.body.innerHTML = '<form><input name="closest"></form><button>Buy</button>'
  const form = document.querySelector('form')!
  // A field hides the form's own method of its name.
  Object.defineProperty(form, 'closest', { value: form.firstChild })
  form.click()
  document.querySelector('button')!.click()
  end()
  removeEventListener('error', hear)
  expect([broken, told]).toEqual([[], ['$click']])
  expect(complain).toHaveBeenCalledTimes(1)
})
