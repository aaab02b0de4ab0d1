/** Two lines in a cell: what counts, and below it how sure that is, of what, or since when. */

import type { ReactNode } from 'react'
import css from './Stacked.module.css'

export function Stacked({ children, notes, tone }: {
  readonly children: ReactNode
  /** What is empty is left out. */
  readonly notes: readonly ReactNode[]
  readonly tone?: 'bad' | undefined
}) {
  return (
    <span className={css.stacked} data-tone={tone}>
      <span>{children}</span>
      {notes.map((note, i) => note ? <small key={i}>{note}</small> : null)}
    </span>
  )
}
