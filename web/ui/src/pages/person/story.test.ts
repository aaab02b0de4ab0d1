import { describe, expect, test } from 'vitest'

import type { ExplanationView } from '../../api/schema'
import { cause, sawOf, tell, type Fact } from './facts'
import { actionsOf, runsOf } from './story'

const base = { profile_id: 'u:ada', position: 1, journey: 'rescue', version: 'v1', enrolment_id: 'e1' }

function fact(type: Fact['type'], at: number, more: object = {}): Fact {
  return { ...base, type, at, ...more } as unknown as Fact
}

const moved = (at: number, source: string, target: string, event: string, judged: object[] = []) =>
  fact('transition', at, { n: at, source: source ? [source] : [], target: [target], event, judged })

const guard = { guard: "count('X') >= 2", held: true, saw: { "count('X')": 4 } }
const wanted = { action_id: 'a1', sink: 'crm', state: 'nudged' }

describe('what moved an enrolment', () => {
  test.each([
    ['after(waiting,10000)', '10s passed in waiting'],
    ['after(a.b,1800000)', '30m passed in a.b'],
    ['done.state.pair', 'pair was finished'],
    ['Order Completed', 'Order Completed happened'],
    ['', ''],
  ])('%s is told as: %s', (event, said) => {
    expect(cause(event)).toBe(said)
  })
})

describe('a line', () => {
  test('a hold-out at the entry says that nothing will be sent, and why', () => {
    const line = tell(fact('entered', 5, { held_out: true, holdout: 'journey' }))
    expect([line.says, line.tone]).toEqual(['Entered', 'warn'])
    expect(line.because).toContain('hold-out (journey)')
  })

  test('a reason that this studio does not know is told as it came', () => {
    const line = tell(fact('action_withheld', 5, { ...wanted, reason: 'moon-phase', detail: 'full' }))
    expect(line.because).toBe('moon-phase (full)')
  })

  test('a guard shows the values it saw as they were, and repeats no name that it has', () => {
    const saw = (guard: string, values: object) => sawOf({ guard, held: false, saw: values as never })
    expect(saw('x', { 'trait.plan': 'pro', n: 3 })).toBe('trait.plan = "pro", n = 3')
    expect(saw("count('X') >= 2", { "count('X')": 4 })).toBe('4')
    expect(saw('in_segment', { 'trait.plan': 'pro' })).toBe('trait.plan = "pro"')
    expect(saw('true', {})).toBe('')
  })
})

describe('actions', () => {
  test('an action knows the moves of its own instant and not those before', () => {
    const story = actionsOf([
      moved(1, '', 'looking', ''),
      moved(9, 'looking', 'silent', 'after(looking,8)', [{ guard: 'old', held: false }]),
      moved(20, 'silent', 'deciding', 'after(silent,11)'),
      moved(20, 'deciding', 'nudged', '', [guard]),
      fact('action', 20, wanted),
    ])
    expect(story).toHaveLength(1)
    expect(story[0]).toMatchObject({ outcome: 'sent', cause: '11ms passed in silent', judged: [guard], state: 'nudged' })
  })

  test('what is sent at the entry was caused by the event that let the person in', () => {
    const step = { type: 'step', profile_id: 'u:ada', at: 5, position: 1, source: 's', message_id: 'm', name: 'Signed Up', occurred_at: 5 } as Fact
    const story = actionsOf([step, fact('entered', 5), moved(5, '', 'greeted', ''), fact('action', 5, wanted)])
    expect(story[0]!.cause).toBe('Signed Up happened')
    expect(actionsOf([{ ...step, position: 9 } as Fact, moved(5, '', 'greeted', ''), fact('action', 5, wanted)])[0]!.cause).toBe('')
  })

  test('moves of another enrolment at the same instant are not its reason', () => {
    const other = { ...moved(20, 'x', 'y', 'Else', [guard]), enrolment_id: 'e2' } as Fact
    const story = actionsOf([moved(20, '', 'nudged', ''), other, fact('action', 20, wanted)])
    expect(story[0]).toMatchObject({ cause: '', judged: [] })
  })

  test('what was put off and then sent and delivered is one action, told by how it ended', () => {
    const story = actionsOf([
      fact('action_deferred', 1, { ...wanted, reason: 'quiet-hours', until: 9 }),
      fact('action', 9, wanted),
      fact('delivery', 10, { action_id: 'a1', outcome: 'delivered', attempts: 2 }),
    ])
    expect(story).toHaveLength(1)
    expect(story[0]).toMatchObject({ outcome: 'delivered', says: 'Delivered after 2 attempts' })
  })

  test('an outcome of something that is not here is nobody’s', () => {
    expect(actionsOf([fact('delivery', 10, { action_id: 'gone', outcome: 'failed', attempts: 1 })])).toEqual([])
  })

  test('an outcome this studio does not know counts as failed, never as delivered', () => {
    const story = actionsOf([fact('action', 1, wanted), fact('delivery', 2, { action_id: 'a1', outcome: 'odd', attempts: 1 })])
    expect(story[0]!.outcome).toBe('failed')
  })
})

describe('runs', () => {
  const explained = (facts: readonly Fact[], is_over = true): ExplanationView =>
    ({ profile_id: 'u:ada', journey: 'rescue', refusals: [], runs: [{ id: 'e1', version: 'v1', key: '', is_over, facts, awaits: [] }] }) as unknown as ExplanationView

  test('a headline says what somebody got, and that the goal was reached', () => {
    const [run] = runsOf(explained([
      fact('entered', 1), fact('action', 2, wanted), fact('delivery', 3, { action_id: 'a1', outcome: 'delivered', attempts: 1 }),
      fact('goal', 4), fact('exited', 4, { reason: 'goal', state: ['nudged'] }),
    ]))
    expect([run!.headline, run!.tone]).toEqual(['Got 1 message. Reached the goal.', 'good'])
  })

  test('a hold-out is the whole reason: what was withheld behind it is not counted again', () => {
    const [run] = runsOf(explained([
      fact('entered', 1, { held_out: true, holdout: 'journey' }),
      fact('action_withheld', 2, { ...wanted, reason: 'held-out' }),
    ]))
    expect([run!.headline, run!.tone]).toEqual(['Kept back by a hold-out: got nothing on purpose.', 'warn'])
  })

  test('who is inside and got nothing is told so, and the newest run comes first', () => {
    const view = explained([fact('entered', 1)], false)
    const twice = { ...view, runs: [view.runs[0]!, { ...view.runs[0]!, id: 'e2' }] }
    expect(runsOf(twice).map((run) => run.id)).toEqual(['e2', 'e1'])
    expect(runsOf(twice)[0]!.headline).toBe('Got nothing. Is still inside.')
  })

  test('a delivery that failed outweighs whatever went well', () => {
    const [run] = runsOf(explained([
      fact('entered', 1), fact('action', 2, wanted), fact('delivery', 3, { action_id: 'a1', outcome: 'failed', attempts: 5 }), fact('goal', 4),
    ]))
    expect(run!.tone).toBe('bad')
  })
})
