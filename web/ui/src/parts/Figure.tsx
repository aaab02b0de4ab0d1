/** Figures: one number with its name, and how sure it is. */

import type { ReactNode } from 'react'
import css from './Figure.module.css'

interface Props {
  readonly label: ReactNode
  readonly value: ReactNode
  /** From where to where it may lie, written out: `12% to 19%`. */
  readonly interval?: string | undefined
  /** What it is of, or since when. */
  readonly note?: ReactNode
  readonly tone?: 'good' | 'bad' | undefined
}

export function Figure({ label, value, interval, note, tone }: Props) {
  return (
    <dl className={css.figure}>
      <dt>{label}</dt>
      <dd className={css.value} data-tone={tone}>{value}</dd>
      {interval && <dd className={css.interval}>{interval}</dd>}
      {note && <dd className={css.note}>{note}</dd>}
    </dl>
  )
}

/** Figures side by side. */
export function Figures({ children }: { readonly children: ReactNode }) {
  return <div className={css.row}>{children}</div>
}
