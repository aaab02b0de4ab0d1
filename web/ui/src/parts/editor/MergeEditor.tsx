/** What is there now on the left, what shall be there on the right: only the right side can be written. */

import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { MergeView } from '@codemirror/merge'
import { EditorState } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import css from './Editor.module.css'
import { highlighting, theme } from './look'
import { shadowOf } from './shadow'

export function MergeEditor({ label, theirs, mine, onChange }: {
  readonly label: string
  readonly theirs: string
  readonly mine: string
  readonly onChange: (text: string) => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const first = useRef({ mine, onChange })
  useEffect(() => {
    if (!place.current) return undefined
    const { root, mount } = shadowOf(place.current)
    const shared = [lineNumbers(), yaml(), theme, highlighting, EditorView.lineWrapping]
    const view = new MergeView({
      a: { doc: theirs, extensions: [...shared, EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' })] },
      b: {
        doc: first.current.mine,
        extensions: [
          ...shared, history(), keymap.of([...defaultKeymap, ...historyKeymap]), EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorView.updateListener.of((update) => { if (update.docChanged) first.current.onChange(update.state.doc.toString()) }),
        ],
      },
      parent: mount, root, revertControls: 'a-to-b', gutter: true,
    })
    return () => view.destroy()
  }, [theirs, label])
  return <div ref={place} className={css.diff} />
}
