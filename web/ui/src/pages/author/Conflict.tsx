/** Two wrote at once: what is there now and what one wrote, beside each other, until it is settled. */

import { useState } from 'react'
import type { FileView } from '../../api/schema'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { MergeEditor } from '../../parts/editor/MergeEditor'
import { instant } from '../../parts/format'
import { whoOf } from '../../parts/who'
import { AUTHOR } from '../../text/author'
import css from './Author.module.css'

const WORDS = AUTHOR.conflict

export function Conflict({ now, mine, onSettle }: {
  readonly now: FileView
  readonly mine: string
  readonly onSettle: (text: string) => void
}) {
  const theirs = now.draft?.text ?? now.text ?? ''
  const [text, setText] = useState(mine)
  return (
    <Dialog
      title={WORDS.title} isWide onClose={() => undefined}
      actions={(
        <>
          <Button onClick={() => onSettle(theirs)}>{WORDS.theirs}</Button>
          <Button look="primary" onClick={() => onSettle(text)}>{WORDS.mine}</Button>
        </>
      )}
    >
      <div className={css.stack}>
        <p>{WORDS.text}</p>
        <p className={css.faint}>{now.draft ? WORDS.by(whoOf(now.draft.updated_by), instant(now.draft.updated_at)) : WORDS.file}</p>
        <MergeEditor label={WORDS.mine} theirs={theirs} mine={mine} onChange={setText} />
      </div>
    </Dialog>
  )
}
