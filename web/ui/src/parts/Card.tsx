/** Cards: a titled part of a page, with room for what can be done with it. */

import { useId, type ReactNode } from 'react'
import { cx } from './cx'
import css from './Card.module.css'

interface Props {
  readonly title?: ReactNode
  /** One line below the title: what is shown here, and what it is not. */
  readonly note?: ReactNode
  readonly actions?: ReactNode
  /** Its content goes to the edges, as a table's does. */
  readonly isFlush?: boolean
  readonly className?: string | undefined
  readonly children?: ReactNode
}

export function Card({ title, note, actions, isFlush, className, children }: Props) {
  const id = useId()
  return (
    <section className={cx(css.card, className)} aria-labelledby={title ? id : undefined}>
      {(title || actions) && (
        <header className={css.head}>
          <div>
            {title && <h2 id={id}>{title}</h2>}
            {note && <p className={css.note}>{note}</p>}
          </div>
          {actions && <div className={css.actions}>{actions}</div>}
        </header>
      )}
      <div className={cx(css.body, isFlush && css.flush)}>{children}</div>
    </section>
  )
}
