/**
 * Describing: what an event says of the element somebody touched, and what it never says.
 *
 * Never: what was typed, chosen or ticked; the text of anything editable, sensitive or masked. A text that has a
 * longer number or an address in it is a person's, wherever it stands.
 */

import type { Properties } from './types'

const INTERACTIVE = 'a,button,input,select,textarea,label,summary,[role=button],[role=link],[role=tab],[role=menuitem],[onclick]'
const TEXTUAL = 'a,button,summary,label,[role=button],[role=link],[role=tab],[role=menuitem]'
const FIELDS = 'input,select,textarea,[contenteditable]:not([contenteditable=false])'
const IGNORED = '[data-sojourn-ignore]'
const MASKED = '[data-sojourn-mask]'
const SENSITIVE = /pass|pwd|secret|token|card|cc-|cvc|cvv|ssn|iban|account|birth|otp|one-time/i
const PERSONAL = /\d[\d\s.-]{3,}\d|@/
const STEPPER = /^[+\-−–×<>‹›«»←→↑↓]$|\b(increase|decrease|increment|decrement|plus|minus|next|previous|prev)\b/i
const MAX_TEXT_CHARS = 64
const MAX_TARGET_CHARS = 200 // as long as the server's
const MAX_LEVELS = 4

/** Find what somebody meant to touch; null where it is not to be captured. */
export function meant(node: EventTarget | null): Element | null {
  const element = node instanceof Element ? node : node instanceof Node ? node.parentElement : null
  if (!element || element.closest(IGNORED)) return null
  return element.closest(INTERACTIVE) ?? element
}

/** Describe an element: which it is, and the words on it where they are no person's. */
export function describe(element: Element): Properties {
  const text = textOf(element)
  const href = element instanceof HTMLAnchorElement && !isMasked(element) ? hrefOf(element) : ''
  return {
    target: targetOf(element),
    tag: element.localName,
    ...(text && { text }),
    ...(href && { href }),
    ...(isStepper(element) && { is_stepper: true }),
  }
}

/**
 * Name an element so that the same one has the same name at every visit: `data-sojourn-name`, or the way to it. Of what
 * is masked, and of a field for what is secret, the way says too much.
 */
export function targetOf(element: Element): string {
  const named = element.closest('[data-sojourn-name]')
  if (named) return named.getAttribute('data-sojourn-name')!.slice(0, MAX_TARGET_CHARS)
  if (isMasked(element) || (isField(element) && isSensitive(element))) return element.localName
  const steps: string[] = []
  for (let each: Element | null = element; each && steps.length < MAX_LEVELS; each = each.parentElement) {
    const isAnchor = isStable(each.id)
    steps.unshift(isAnchor ? `${each.localName}#${each.id}` : stepTo(each))
    if (isAnchor || each === document.body) break
  }
  return steps.join(' > ').slice(0, MAX_TARGET_CHARS)
}

/** Describe a field: never what is in it. */
export function describeField(element: Element): Properties {
  const type = element.getAttribute('type') ?? ''
  return { target: targetOf(element), tag: element.localName, ...(type && { type }) }
}

/** Name a form: its id, its name, or the way to it. */
export function formOf(form: HTMLFormElement): string {
  // A field called `id` or `name` hides the form's own property.
  return (!isMasked(form) && (form.getAttribute('id') || form.getAttribute('name'))) || targetOf(form)
}

export function isField(element: Element): boolean {
  return element.matches(FIELDS)
}

/** Tell where several clicks in a row are meant: a stepper's buttons, number fields, players. */
export function isStepper(element: Element): boolean {
  if (element.matches('input[type=number],input[type=range],video,audio,canvas')) return true
  const words = [element.getAttribute('aria-label'), element.getAttribute('title'), element.textContent?.trim().slice(0, MAX_TEXT_CHARS)]
  return words.some((each) => !!each && each.length <= 30 && STEPPER.test(each))
}

/** Read the words on an element; empty where there are none, or they may be a person's. */
export function textOf(element: Element): string {
  const isPrivate = element.closest(`${MASKED},${FIELDS}`) ?? element.querySelector(`${MASKED},${FIELDS}`)
  if (isPrivate || !element.matches(TEXTUAL)) return ''
  const text = (element.getAttribute('aria-label') ?? element.textContent ?? '').replace(/\s+/g, ' ').trim()
  return PERSONAL.test(text) ? '' : text.slice(0, MAX_TEXT_CHARS).replace(/[\ud800-\udbff]$/, '')
}

export function isSensitive(element: Element): boolean {
  const hints = ['type', 'name', 'id', 'autocomplete', 'placeholder', 'aria-label'].map((name) => element.getAttribute(name) ?? '')
  return hints.some((hint) => SENSITIVE.test(hint))
}

function isMasked(element: Element): boolean {
  return element.closest(MASKED) !== null
}

function stepTo(element: Element): string {
  const named = ['data-testid', 'name'].map((name) => [name, element.getAttribute(name)] as const).find(([, value]) => isStable(value ?? ''))
  if (named) return `${element.localName}[${named[0]}=${named[1]}]`
  const classes = [...element.classList].filter(isStable).slice(0, 2)
  return [element.localName, ...classes].join('.')
}

/** Tell names that people gave from those that a build or a database made. */
function isStable(name: string): boolean {
  return /^[A-Za-z][\w-]{0,39}$/.test(name) && !/\d{3,}|[a-z]\d[a-z]\d|__/.test(name)
}

/** Return where a link leads, without what its query and fragment may say of a person. */
function hrefOf(link: HTMLAnchorElement): string {
  return /^https?:$/.test(link.protocol) ? link.origin + link.pathname : link.protocol
}
