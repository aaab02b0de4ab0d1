import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { addAfter, remove, rename } from './edits'

const STATES = `# Rescues checkouts.
journey: rescue
entry:   { on: Checkout Started }   # who
states:
  waiting:
    on:    { Help Opened: assisted }
    after: { 30m: deciding }  # half an hour

  # Who is it?
  deciding:
    branch:
      - { when: "visits('Shipping') >= 2", to: assisted }
      - { to: reminded }
  reminded:
    do:
      - webhook: shop
    after: { 1d: done }
  assisted:
    after: { 1d: done }
`
const STEPS = `journey: trial
entry: { on: Trial Started }
steps:
  - send: { webhook: crm }   # hello
  - name: first
    wait_for:
      on: Project Created
      within: 3d
      timeout:
        - send: { webhook: crm }
  - wait: 1d
`
const line = (text: string, of: string) => text.split('\n').findIndex((each) => each.includes(of)) + 1
const spot = (label: string) => ({ label, line: line(STATES, `  ${label}:`) })

test('a step that is added takes the first way of its state, and nothing else changes', () => {
  const added = addAfter(STATES, spot('reminded'), 'wait')!
  expect(parse(added).states.reminded.after).toEqual({ '1d': 'waiting-2' })
  expect(parse(added).states['waiting-2']).toEqual({ after: { '1d': 'done' } })
  const kept = STATES.split('\n').filter((each) => !each.includes('1d: done'))
  expect(kept.every((each) => added.includes(each))).toBe(true)
})

test('a message and a branch are added as states that lead on', () => {
  const sent = parse(addAfter(STATES, spot('waiting'), 'send')!)
  expect([sent.states.waiting.after, sent.states.sent.branch]).toEqual([{ '30m': 'sent' }, [{ to: 'deciding' }]])
  expect(sent.states.sent.do).toEqual([{ webhook: 'shop', body: { say: 'hello' } }])
  const branched = parse(addAfter(STATES, spot('deciding'), 'branch')!)
  expect([branched.states.deciding.branch[0].to, branched.states['deciding-2'].branch[0].to]).toEqual(['deciding-2', 'assisted'])
})

test('a name is changed wherever it is meant, and comments stay', () => {
  const renamed = rename(STATES, spot('assisted'), 'helped')!
  expect(renamed).toBe(STATES.replace('Help Opened: assisted', 'Help Opened: helped').replace('to: assisted', 'to: helped').replace('  assisted:', '  helped:'))
})

test('a name that is taken, or is none, is refused', () => {
  expect([rename(STATES, spot('assisted'), 'waiting'), rename(STATES, spot('assisted'), 'a b')]).toEqual([null, null])
})

test('what led to a state that is taken out leads to where that led', () => {
  const removed = parse(remove(STATES, spot('deciding'))!)
  expect(Object.keys(removed.states)).toEqual(['waiting', 'reminded', 'assisted'])
  expect(removed.states.waiting.after).toEqual({ '30m': 'assisted' })
})

test('steps are added, named and taken out in their own list', () => {
  const added = addAfter(STEPS, { label: 'send-1', line: 4 }, 'wait')!
  expect(added).toBe(STEPS.replace('# hello\n', '# hello\n  - wait: 1d\n'))
  expect(parse(rename(STEPS, { label: 'wait-3', line: 11 }, 'pause')!).steps[2]).toEqual({ name: 'pause', wait: '1d' })
  expect(parse(rename(STEPS, { label: 'first', line: 5 }, 'project')!).steps[1].name).toBe('project')
  expect(parse(remove(STEPS, { label: 'first', line: 5 })!).steps).toHaveLength(2)
})

test('an inner list is changed where the line is inside it', () => {
  const added = parse(addAfter(STEPS, { label: 'send-1', line: line(STEPS, '        - send') }, 'wait')!)
  expect(added.steps[1].wait_for.timeout).toEqual([{ send: { webhook: 'crm' } }, { wait: '1d' }])
})

test('what does not parse, is not there, or would leave nothing is not changed', () => {
  expect(addAfter('a: [', { label: 'a', line: 1 }, 'wait')).toBeNull()
  expect(addAfter(STATES, { label: 'nobody', line: 1 }, 'wait')).toBeNull()
  expect(remove('journey: a\nstates:\n  a: {}\n', { label: 'a', line: 3 })).toBeNull()
})
