/** Waiting: that something is on its way, and how far it is. */

import { COMMON } from '../text/common'
import css from './Waiting.module.css'

export function Spinner({ label = COMMON.loading }: { readonly label?: string }) {
  return (
    <div className={css.spinner} role="status">
      <span className={css.ring} aria-hidden />
      <span>{label}</span>
    </div>
  )
}

/** What is shown is of before, and the next answer is on its way: a line at the top of the window. */
export function Updating() {
  return <div className={css.updating} role="status"><span className="visually-hidden">{COMMON.updating}</span></div>
}

/** How far something is, from 0 to 1; null: nobody knows. */
export function Progress({ label, value }: { readonly label: string; readonly value: number | null }) {
  return <progress className={css.progress} aria-label={label} max={1} {...(value === null ? {} : { value })} />
}

/** Grey lines where text will stand. */
export function Skeleton({ lines = 4 }: { readonly lines?: number }) {
  return (
    <div className={css.skeleton} role="status" aria-label={COMMON.loading}>
      {Array.from({ length: lines }, (_, i) => <span key={i} />)}
    </div>
  )
}
