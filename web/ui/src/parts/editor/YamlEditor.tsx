/** The YAML editor: completion, errors where they are, and a cursor that others can follow and set. */

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, foldGutter, indentUnit } from '@codemirror/language'
import { lintGutter, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import type { ProblemView } from '../../api/schema'
import { AUTHOR } from '../../text/author'
import css from './Editor.module.css'
import { highlighting, theme } from './look'
import { shadowOf } from './shadow'

export interface Completed {
  readonly from: number
  readonly options: readonly { readonly label: string; readonly type: string; readonly info: string; readonly apply: string }[]
}

interface Props {
  readonly label: string
  readonly text: string
  readonly isReadOnly: boolean
  readonly problems: readonly ProblemView[]
  readonly onChange: (text: string) => void
  /** The cursor moved to a line, from 1. */
  readonly onLine: (line: number) => void
  readonly complete: (text: string, offset: number) => Completed | null
  /** Go to a line: each new value once. */
  readonly goTo: { readonly line: number; readonly n: number } | null
}

export function YamlEditor(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const latest = useRef(props)
  latest.current = props
  const { text, isReadOnly, problems, goTo, label } = props
  useEffect(() => {
    if (!place.current) return undefined
    const { root, mount } = shadowOf(place.current)
    const made = new EditorView({ state: stateOf(latest.current.text, latest, label), parent: mount, root })
    view.current = made
    return () => {
      view.current = null
      made.destroy()
    }
  }, [label])
  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === text) return
    editor.dispatch({ changes: changesTo(editor.state.doc.toString(), text) })
  }, [text])
  useEffect(() => {
    view.current?.dispatch({ effects: READ_ONLY.reconfigure(EditorState.readOnly.of(isReadOnly)) })
  }, [isReadOnly, label])
  useEffect(() => {
    const editor = view.current
    if (editor) editor.dispatch(setDiagnostics(editor.state, problems.map((each) => diagnosticOf(editor.state, each))))
  }, [problems])
  useEffect(() => {
    const editor = view.current
    if (!editor || !goTo || goTo.line > editor.state.doc.lines) return
    const { from } = editor.state.doc.line(goTo.line)
    editor.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
    editor.focus()
  }, [goTo])
  return <div ref={place} className={css.editor} data-editor />
}

const READ_ONLY = new Compartment()

function stateOf(text: string, latest: { readonly current: Props }, label: string): EditorState {
  return EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), bracketMatching(), closeBrackets(),
      highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(), indentUnit.of('  '), yaml(), theme, highlighting,
      autocompletion({ override: [(context) => completionsOf(context, latest.current.complete)], icons: false, activateOnTyping: true }),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, ...completionKeymap, { key: 'Ctrl-Space', run: startCompletion }, indentWithTab]),
      READ_ONLY.of(EditorState.readOnly.of(latest.current.isReadOnly)),
      EditorView.contentAttributes.of({ 'aria-label': label, 'aria-description': AUTHOR.leave, tabindex: '0' }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) latest.current.onChange(update.state.doc.toString())
        if (update.selectionSet) latest.current.onLine(update.state.doc.lineAt(update.state.selection.main.head).number)
      }),
    ],
  })
}

function completionsOf(context: CompletionContext, complete: Props['complete']): CompletionResult | null {
  const found = complete(context.state.doc.toString(), context.pos)
  if (!found || found.options.length === 0) return null
  if (!context.explicit && found.from === context.pos) return null
  return { from: found.from, options: found.options.map((each) => ({ ...each })), validFor: /^[\w -]*$/ }
}

function diagnosticOf(state: EditorState, { line, column, severity, message, code }: ProblemView) {
  const at = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines))
  const from = Math.min(at.from + Math.max(column - 1, 0), at.to)
  const word = /^[\w-]+/.exec(state.doc.sliceString(from, at.to))?.[0] ?? ''
  const to = word ? from + word.length : at.to
  return { from, to: Math.max(to, from), severity, message: `${message} [${code}]` }
}

/** The one change that makes a text another: so that the cursor and the history stay. */
function changesTo(before: string, after: string) {
  let from = 0
  while (from < before.length && from < after.length && before[from] === after[from]) from += 1
  let end = 0
  while (end < before.length - from && end < after.length - from && before.at(-1 - end) === after.at(-1 - end)) end += 1
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) }
}
