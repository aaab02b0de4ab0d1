/** Edits on the chart, as changes of the text: only what is meant changes, and every comment and space stays.
 *
 * The document is parsed to know where things stand; the text itself is spliced. Each edit returns the new text,
 * or null where the file is written in a way that it cannot change safely (a flow style, a state of sugar).
 */

import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml'

export type StepKind = 'send' | 'wait' | 'branch'

/** What the chart says of the state that an edit is about. */
export interface Spot {
  readonly label: string
  /** From 1. */
  readonly line: number | null
}

/** Where a state stands in the text: a key of `states`, or an item of a list of steps. */
type Place =
  | { readonly is: 'state'; readonly key: Scalar; readonly value: YAMLMap | null; readonly map: YAMLMap; readonly first: number }
  | { readonly is: 'step'; readonly item: YAMLMap | Scalar; readonly seq: YAMLSeq; readonly first: number }

interface Read {
  readonly text: string
  readonly lines: readonly string[]
  readonly counter: LineCounter
  readonly root: YAMLMap
}

interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** Put a step behind a state: where the state led first, the new one leads now. */
export function addAfter(text: string, spot: Spot, kind: StepKind): string | null {
  const read = readText(text)
  const place = read && placeOf(read, spot)
  if (!read || !place) return null
  const last = blockEnd(read, place.first)
  const indent = indentOf(read.lines[place.first - 1] ?? '')
  if (place.is === 'step') return insertAfter(read, last, stepLines(kind, indent, sinkOf(text)))
  const way = firstWay(place.value)
  if (place.value !== null && !way && !isEmpty(place.value)) return null
  const name = freeName(read, kind)
  const lines = stateLines(kind, { name, to: way ? String(way.value) : 'done', indent, sink: sinkOf(text) })
  const inserted = { from: endOfLine(read, last), to: endOfLine(read, last), text: `\n${lines.join('\n')}` }
  if (way) return splice(text, [inserted, { ...spanOf(way), text: name }])
  const added = { from: endOfLine(read, last), to: endOfLine(read, last), text: `\n${indent}  branch:\n${indent}    - { to: ${name} }` }
  return splice(text, [{ ...inserted, text: added.text + inserted.text }])
}

/** Give a state another name, and every way that leads to it, too. */
export function rename(text: string, spot: Spot, name: string): string | null {
  const read = readText(text)
  const place = read && placeOf(read, spot)
  if (!read || !place || !NAME.test(name) || stateKeys(read).some((key) => String(key.value) === name)) return null
  if (place.is === 'state') {
    const targets = targetsOf(read.root).filter((each) => each.value === spot.label)
    return splice(text, [{ ...spanOf(place.key), text: name }, ...targets.map((each) => ({ ...spanOf(each), text: name }))])
  }
  if (!isMap(place.item)) return null
  const known = place.item.get('name', true)
  const targets = targetsOf(read.root).filter((each) => each.value === spot.label)
  const others = targets.map((each) => ({ ...spanOf(each), text: name }))
  if (isScalar(known)) return splice(text, [{ ...spanOf(known as Scalar), text: name }, ...others])
  const start = startOf(place.item)
  if (start === null || place.item.flow) return null
  const indent = ' '.repeat(read.counter.linePos(start).col - 1)
  return splice(text, [{ from: start, to: start, text: `name: ${name}\n${indent}` }, ...others])
}

/** Take a state out; what led to it leads to where it led first, or to the end. */
export function remove(text: string, spot: Spot): string | null {
  const read = readText(text)
  const place = read && placeOf(read, spot)
  if (!read || !place) return null
  const siblings = place.is === 'state' ? place.map.items.length : place.seq.items.length
  if (siblings < 2) return null
  const last = blockEnd(read, place.first)
  const cut = { from: startOfLine(read, place.first), to: Math.min(endOfLine(read, last) + 1, text.length), text: '' }
  if (place.is === 'step') return splice(text, [cut])
  const to = String(firstWay(place.value)?.value ?? 'done')
  const next = to === spot.label ? 'done' : to
  const targets = targetsOf(read.root).filter((each) => each.value === spot.label && !isInside(each, cut))
  return splice(text, [cut, ...targets.map((each) => ({ ...spanOf(each), text: next }))])
}

/** Names that states and steps may have. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/

function readText(text: string): Read | null {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, keepSourceTokens: false })
  if (document.errors.length > 0 || !isMap(document.contents)) return null
  return { text, lines: text.split('\n'), counter, root: document.contents as YAMLMap }
}

function placeOf(read: Read, { label, line }: Spot): Place | null {
  let found: Place | null = null
  const lineOf = (offset: number) => read.counter.linePos(offset).line
  visit(read.root, {
    Pair(_, pair) {
      if (!isScalar(pair.key)) return
      const name = String(pair.key.value)
      if ((name === 'states' || name === 'regions') && isMap(pair.value) && !pair.value.flow) {
        for (const inner of pair.value.items as Pair[]) {
          const key = inner.key as Scalar
          if (!key.range || lineOf(key.range[0]) !== line || key.value !== label) continue
          const value = isMap(inner.value) ? (inner.value as YAMLMap) : null
          found = { is: 'state', key, value, map: pair.value as YAMLMap, first: line }
        }
      }
    },
    Seq(_, seq) {
      if (seq.flow || line === null || found?.is === 'state') return
      for (const item of seq.items) {
        if (!(isMap(item) || isScalar(item)) || !item.range) continue
        // The deepest list wins: it is visited last.
        if (lineOf(item.range[0]) === line && isStep(item)) found = { is: 'step', item: item as YAMLMap, seq: seq as YAMLSeq, first: line }
      }
    },
  })
  return found
}

const STEPS = new Set(['send', 'do', 'wait', 'wait_for', 'branch', 'split', 'repeat', 'parallel', 'call', 'goto', 'resume', 'exit'])

function isStep(item: unknown): boolean {
  if (isScalar(item)) return item.value === 'exit'
  return isMap(item) && item.items.some((pair) => isScalar(pair.key) && STEPS.has(String(pair.key.value)))
}

/** The last line of what begins on a line: all that is further in, without blank lines and comments after it. */
function blockEnd(read: Read, first: number): number {
  const indent = indentOf(read.lines[first - 1] ?? '').length
  let last = first
  for (let line = first + 1; line <= read.lines.length; line += 1) {
    const text = read.lines[line - 1] ?? ''
    if (text.trim() === '' || text.trim().startsWith('#')) continue
    if (indentOf(text).length <= indent) break
    last = line
  }
  return last
}

/** The first way out of a state, as the scalar that names where it leads. */
function firstWay(state: YAMLMap | null): Scalar | null {
  if (!state) return null
  for (const name of ['after', 'branch', 'on']) {
    const ways = targetsOf(pick(state, name))
    if (ways[0]) return ways[0]
  }
  return null
}

function pick(state: YAMLMap, name: string): unknown {
  const pair = state.items.find((each) => isScalar(each.key) && each.key.value === name)
  return pair ?? null
}

/** Every scalar that names a state: what `to`, `goto`, `resume`, `initial`, and the ways under `on` and `after` say. */
function targetsOf(node: unknown): Scalar[] {
  const found: Scalar[] = []
  if (!node) return found
  visit(node as YAMLMap, {
    Pair(_, pair) {
      if (!isScalar(pair.key)) return
      const name = String(pair.key.value)
      if (['to', 'goto', 'resume', 'initial'].includes(name)) {
        if (isScalar(pair.value)) found.push(pair.value as Scalar)
        // Of an experiment: variant -> state.
        else if (isMap(pair.value)) for (const each of pair.value.items) if (isScalar(each.value)) found.push(each.value as Scalar)
      } else if (name === 'on' || name === 'after') {
        if (isMap(pair.value)) {
          for (const each of pair.value.items) {
            if (isScalar(each.value)) found.push(each.value as Scalar)
            else if (isSeq(each.value)) found.push(...(each.value.items.filter(isScalar) as Scalar[]))
          }
        }
      }
    },
  })
  return found
}

function isEmpty(state: YAMLMap): boolean {
  return state.items.every((pair) => isScalar(pair.key) && ['do', 'exit_do'].includes(String(pair.key.value)))
}

function stateKeys(read: Read): Scalar[] {
  const keys: Scalar[] = []
  visit(read.root, {
    Pair(_, pair) {
      if (isScalar(pair.key) && ['states', 'regions'].includes(String(pair.key.value)) && isMap(pair.value)) {
        for (const each of pair.value.items) if (isPair(each) && isScalar(each.key)) keys.push(each.key as Scalar)
      }
    },
  })
  return keys
}

function freeName(read: Read, kind: StepKind): string {
  const taken = new Set(stateKeys(read).map((key) => String(key.value)))
  const word = { send: 'sent', wait: 'waiting', branch: 'deciding' }[kind]
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? word : `${word}-${n}`
    if (!taken.has(name)) return name
  }
}

/** The sink that the file's first action names: who adds a message most likely means the same. */
function sinkOf(text: string): string {
  return /(?:- |\{ *)((?:webhook|email|slack|kafka|file|sink): *[\w.-]+)/.exec(text)?.[1] ?? 'console:'
}

interface NewState {
  readonly name: string
  readonly to: string
  readonly indent: string
  readonly sink: string
}

function stateLines(kind: StepKind, { name, to, indent, sink }: NewState): readonly string[] {
  const inner: Readonly<Record<StepKind, readonly string[]>> = {
    send: ['  do:', `    - ${sink}`, '      body: { say: "hello" }', '  branch:', `    - { to: ${to} }`],
    wait: [`  after: { 1d: ${to} }`],
    branch: ['  branch:', `    - { when: "session.n_events > 1", to: ${to} }`, '    - { to: done }'],
  }
  return [`${name}:`, ...inner[kind]].map((line) => indent + line)
}

function stepLines(kind: StepKind, indent: string, sink: string): readonly string[] {
  const lines: Readonly<Record<StepKind, readonly string[]>> = {
    send: ['- send:', `    ${sink}`, '    body: { say: "hello" }'],
    wait: ['- wait: 1d'],
    branch: ['- branch:', '    - when: "session.n_events > 1"', '      steps:', '        - wait: 1d'],
  }
  return lines[kind].map((line) => indent + line)
}

function insertAfter(read: Read, line: number, lines: readonly string[]): string {
  const at = endOfLine(read, line)
  return splice(read.text, [{ from: at, to: at, text: `\n${lines.join('\n')}` }])
}

function splice(text: string, splices: readonly Splice[]): string {
  return splices.toSorted((a, b) => b.from - a.from || b.to - a.to)
    .reduce((done, { from, to, text: put }) => done.slice(0, from) + put + done.slice(to), text)
}

function spanOf(node: Scalar): { readonly from: number; readonly to: number } {
  const [from, to] = node.range ?? [0, 0]
  return { from, to }
}

function isInside(node: Scalar, { from, to }: Splice): boolean {
  const span = spanOf(node)
  return span.from >= from && span.to <= to
}

function startOf(node: YAMLMap): number | null {
  return node.range?.[0] ?? null
}

function startOfLine(read: Read, line: number): number {
  return read.counter.lineStarts[line - 1] ?? 0
}

function endOfLine(read: Read, line: number): number {
  return startOfLine(read, line) + (read.lines[line - 1] ?? '').length
}

function indentOf(line: string): string {
  return /^ */.exec(line)?.[0] ?? ''
}
