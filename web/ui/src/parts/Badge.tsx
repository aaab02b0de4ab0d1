/** Badges: one word about the state of something, in a colour that says the same. */

import type { ReactNode } from 'react'
import { cx } from './cx'
import css from './Badge.module.css'

export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'info' | 'accent'

export function Badge({ tone = 'plain', hasDot, title, children }: {
  readonly tone?: Tone
  readonly hasDot?: boolean
  readonly title?: string | undefined
  readonly children: ReactNode
}) {
  return (
    <span className={cx(css.badge, css[tone])} title={title}>
      {hasDot && <span className={css.dot} aria-hidden />}
      {children}
    </span>
  )
}
