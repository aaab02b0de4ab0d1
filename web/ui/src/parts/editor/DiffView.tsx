/** Two texts beside each other, with what differs marked. */

import { yaml } from '@codemirror/lang-yaml'
import { MergeView } from '@codemirror/merge'
import { EditorState } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import { highlighting, theme } from './look'
import { shadowOf } from './shadow'
import css from './Editor.module.css'

export function DiffView({ label, before, after }: { readonly label: string; readonly before: string; readonly after: string }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!place.current) return undefined
    const { root, mount } = shadowOf(place.current)
    const extensions = [
      lineNumbers(), yaml(), theme, highlighting, EditorView.lineWrapping,
      EditorState.readOnly.of(true), EditorView.editable.of(false),
      EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    ]
    const view = new MergeView({
      a: { doc: before, extensions }, b: { doc: after, extensions }, parent: mount, root,
      ...(before === after ? {} : { collapseUnchanged: { margin: 4, minSize: 6 } }), highlightChanges: true, gutter: true,
    })
    return () => view.destroy()
  }, [before, after, label])
  return <div ref={place} role="region" aria-label={label} className={css.diff} />
}
