/** Pages: a title, what it is about, what can be done, and the content below. */

import { useEffect, type ReactNode } from 'react'
import { COMMON } from '../text/common'
import { cx } from './cx'
import css from './Page.module.css'

interface Props {
  readonly title: string
  readonly note?: ReactNode
  readonly actions?: ReactNode
  /** A bar of filters below the title. */
  readonly filters?: ReactNode
  /** It fills the window and scrolls inside, as a map or an editor does. */
  readonly isFull?: boolean
  readonly children: ReactNode
}

export function Page({ title, note, actions, filters, isFull, children }: Props) {
  useEffect(() => {
    document.title = `${title} · ${COMMON.product}`
  }, [title])
  return (
    <div className={cx(css.page, isFull && css.full)}>
      <header className={css.head}>
        <div className={css.words}>
          <h1>{title}</h1>
          {note && <p className={css.note}>{note}</p>}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </header>
      {filters && <div className={css.filters}>{filters}</div>}
      <div className={css.content}>{children}</div>
    </div>
  )
}
