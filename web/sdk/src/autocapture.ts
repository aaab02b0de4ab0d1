/**
 * Autocapture: clicks, changes and submits without a line of code, and the signals of friction among them.
 *
 * `$click`, `$change`, `Form Started`, `Form Submitted`, `$error`; `$rageclick`, `$dead_click`, `$error_click`,
 * `$quick_back`, `$form_abandon`. What an event says of an element, and what it never says, is in describe.ts.
 */

import { guarded } from './attempt'
import { describe, describeField, formOf, isField, isStepper, meant } from './describe'
import * as friction from './friction'
import type { Burst, Click, RagePreset, RageRule, Trail, Waiting } from './friction'
import type { Properties } from './types'

export interface AutocaptureOptions {
  /** Whether each click is told. The signals are found all the same. Default: true. */
  readonly clicks?: boolean
  readonly changes?: boolean
  readonly forms?: boolean
  /** Whether errors are told: their kind and where, never their message. Default: true. */
  readonly errors?: boolean
  /** By whose rule clicks are rage. Default: `sojourn`. */
  readonly rage?: RagePreset | RageRule | false
  readonly dead?: boolean
  readonly quickBack?: boolean
}

type Tell = (event: string, properties: Properties) => void
type On = (target: EventTarget, names: string, hear: (event: never) => void) => void

const ALL: Required<AutocaptureOptions> = {
  clicks: true,
  changes: true,
  forms: true,
  errors: true,
  rage: 'sojourn',
  dead: true,
  quickBack: true,
}

/** Begin to capture for a tracker; return what ends it. Where there is no page, nothing begins. */
export function autocapture(sojourn: { track: Tell }, options: AutocaptureOptions = {}): () => void {
  if (typeof document === 'undefined') return () => {}
  const asked = { ...ALL, ...options }
  const ends: (() => void)[] = []
  const on: On = (target, names, hear) => {
    const listen = (event: Event) => guarded(() => hear(event as never))
    for (const name of names.split(' ')) {
      // In the capture phase, passive: a page that stops an event is seen all the same, and is never slowed.
      target.addEventListener(name, listen, { capture: true, passive: true })
      ends.push(() => target.removeEventListener(name, listen, { capture: true }))
    }
  }
  const tell: Tell = (event, properties) => sojourn.track(event, properties)
  const clicks = new Clicks(asked, tell)
  ends.push(clicks.listen(on))
  if (asked.changes) on(document, 'change', (event: Event) => change(event, tell))
  if (asked.forms) ends.push(forms(on, tell))
  if (asked.quickBack) ends.push(turns(on, tell))
  return () => ends.splice(0).forEach((end) => end())
}

/** Clicks, and what becomes of them. */
class Clicks {
  private readonly rule: RageRule | null
  private burst: Burst | null = null
  private waiting: { state: Waiting; told: Properties; timer: ReturnType<typeof setTimeout>; canBeDead: boolean } | null = null
  private readonly asked: Required<AutocaptureOptions>
  private readonly tell: Tell
  /** Looks at the page only while a click waits for what it brings about. */
  private readonly observer = new MutationObserver(() => this.answer('change'))

  constructor(asked: Required<AutocaptureOptions>, tell: Tell) {
    this.asked = asked
    this.tell = tell
    this.rule = typeof asked.rage === 'string' ? friction.RAGE_PRESETS[asked.rage] : asked.rage || null
  }

  listen(on: On): () => void {
    on(document, 'click', (event: MouseEvent) => this.click(event))
    on(document, 'selectionchange scroll', () => this.answer('reflex'))
    on(window, 'scroll', () => this.answer('reflex'))
    on(document, 'focusin change input submit toggle play pause fullscreenchange', () => this.answer('change'))
    on(window, 'hashchange popstate blur pagehide beforeunload', () => this.answer('change'))
    on(window, 'error', (event: ErrorEvent) => this.fail(event.error, event.filename, event.lineno))
    on(window, 'unhandledrejection', (event: PromiseRejectionEvent) => this.fail(event.reason, '', 0))
    return () => {
      this.observer.disconnect()
      clearTimeout(this.waiting?.timer)
    }
  }

  private click(event: MouseEvent): void {
    const element = meant(event.target)
    if (!element) return
    const at = Date.now()
    const hasSelected = !!getSelection()?.toString()
    const { target, ...about } = describe(element)
    const click: Click = { at, target: String(target), x: event.pageX, y: event.pageY }
    const told = { target, ...about, x: Math.round(click.x), y: Math.round(click.y), ...(hasSelected && { text_selected: true }) }
    if (this.asked.clicks) this.tell('$click', told)
    if (isStepper(element) || hasSelected) this.burst = null
    else this.press(click, told)
    this.await(click, told, canBeDead(element) && !hasSelected)
  }

  private press(click: Click, told: Properties): void {
    if (!this.rule) return
    const [burst, isRage] = friction.press(this.burst, click, this.rule)
    this.burst = burst
    if (isRage) this.tell('$rageclick', { ...told, n_clicks: this.rule.count })
  }

  /** Wait for what a click brings about; a click before that is still waiting is judged no more, as this one follows it. */
  private await(click: Click, told: Properties, canBeDead: boolean): void {
    const before = this.waiting
    // The same element pressed again and again is one dead click: the first.
    if (before && !before.state.isAnswered && before.state.click.target === click.target) return
    clearTimeout(before?.timer)
    const timer = setTimeout(() => this.judge(), friction.DEAD_MS)
    this.waiting = { state: { click, isAnswered: false, hasError: false }, told, timer, canBeDead }
    this.observer.observe(document, { attributes: true, childList: true, characterData: true, subtree: true })
  }

  private judge(): void {
    const waiting = this.waiting
    this.waiting = null
    this.observer.disconnect()
    const isDead = waiting && !waiting.state.isAnswered && !waiting.state.hasError
    if (isDead && waiting.canBeDead && this.asked.dead) this.tell('$dead_click', waiting.told)
  }

  private answer(what: 'change' | 'reflex'): void {
    if (!this.waiting) return
    this.waiting.state = friction.answer(this.waiting.state, what, Date.now())
    if (this.waiting.state.isAnswered) this.observer.disconnect()
  }

  private fail(error: unknown, file: string, line: number): void {
    const name = error instanceof Error ? error.name : 'Error'
    const place = { ...(file && { file: file.split(/[?#]/)[0] }), ...(line && { line }) }
    if (this.asked.errors) this.tell('$error', { name, ...place })
    if (!this.waiting) return
    const [state, isIts] = friction.fail(this.waiting.state, Date.now())
    this.waiting.state = state
    if (isIts) this.tell('$error_click', { ...this.waiting.told, error: name })
  }
}

/** Links leave the page, fields take the keyboard, files open a dialogue: no change of the page answers these. */
function canBeDead(element: Element): boolean {
  return !isField(element) && !isStepper(element) && !element.matches('a[href],label,option,html,body')
}

function change(event: Event, tell: Tell): void {
  const element = meant(event.target)
  if (element && isField(element)) tell('$change', describeField(element))
}

interface Begun {
  readonly form: string
  readonly fields: Set<Element>
  timer: ReturnType<typeof setTimeout>
}

/** Follow forms from the first touch to the submit, or to where they are left. */
function forms(on: On, tell: Tell): () => void {
  const begun = new Map<HTMLFormElement, Begun>()
  const abandon = (form: HTMLFormElement) => {
    const left = begun.get(form)
    if (!left) return
    clearTimeout(left.timer)
    begun.delete(form)
    tell('$form_abandon', { form_id: left.form, n_fields: left.fields.size })
  }
  const abandonAll = () => [...begun.keys()].forEach(abandon)
  const touch = (event: Event) => {
    const element = meant(event.target)
    const form = element?.closest('form')
    if (!element || !form || !isField(element)) return
    const known = begun.get(form) ?? { form: formOf(form), fields: new Set<Element>(), timer: 0 as never }
    if (!begun.has(form)) tell('Form Started', { form_id: known.form })
    clearTimeout(known.timer)
    known.timer = setTimeout(() => abandon(form), friction.FORM_MS)
    known.fields.add(element)
    begun.set(form, known)
  }
  const submit = (event: SubmitEvent) => {
    const form = event.target
    if (!(form instanceof HTMLFormElement) || !meant(form)) return
    clearTimeout(begun.get(form)?.timer)
    begun.delete(form)
    tell('Form Submitted', { form_id: formOf(form) })
  }
  on(document, 'input change', touch)
  on(document, 'submit', submit)
  on(window, 'pagehide', abandonAll)
  // A page inside the page: forms that are gone from the document were left.
  on(window, 'popstate', () => setTimeout(() => [...begun.keys()].filter((form) => !form.isConnected).forEach(abandon)))
  return () => begun.forEach((each) => clearTimeout(each.timer))
}

/** Follow somebody from page to page inside this one, and out of it and back (from the back-forward cache). */
function turns(on: On, tell: Tell): () => void {
  const here = () => location.pathname
  let trail: Trail = { before: null, here: here(), since: Date.now() }
  const look = () => {
    const [next, from] = friction.walk(trail, here(), Date.now())
    trail = next
    if (from !== null) tell('$quick_back', { target: from, to: next.here })
  }
  const { navigation } = window as unknown as { navigation?: EventTarget }
  // Where pushState has no event, we look once a second: others may have patched it.
  const timer = navigation ? undefined : setInterval(look, 1_000)
  if (navigation) on(navigation, 'currententrychange', look)
  on(window, 'popstate', look)
  let leftAt = 0
  on(window, 'pagehide', () => (leftAt = Date.now()))
  on(window, 'pageshow', (event: PageTransitionEvent) => {
    if (event.persisted && leftAt && Date.now() - leftAt < friction.QUICK_BACK_MS) tell('$quick_back', { to: here() })
  })
  return () => clearInterval(timer)
}
