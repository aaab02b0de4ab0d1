/** Dialogs: what must be answered before anything else goes on. The browser keeps the focus inside. */

import { useEffect, useId, useRef, type ReactNode } from 'react'
import { COMMON } from '../text/common'
import { Button } from './Button'
import { cx } from './cx'
import css from './Dialog.module.css'

interface Props {
  readonly title: ReactNode
  readonly onClose: () => void
  readonly children: ReactNode
  /** What can be done, most important last. */
  readonly actions?: ReactNode
  readonly isWide?: boolean
  readonly isBare?: boolean
}

export function Dialog({ title, onClose, children, actions, isWide, isBare }: Props) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const shown = dialog.current
    shown?.showModal()
    return () => shown?.close()
  }, [])
  return (
    <dialog
      ref={dialog} className={cx(css.dialog, isWide && css.wide, isBare && css.bare)} aria-labelledby={id}
      onCancel={(event) => { event.preventDefault(); onClose() }}
      onClick={(event) => { if (event.target === dialog.current) onClose() }}
    >
      <div className={css.frame}>
        <header className={isBare ? 'visually-hidden' : css.head}>
          <h2 id={id}>{title}</h2>
          {!isBare && <Button look="quiet" icon="close" label={COMMON.close} isSmall onClick={onClose} />}
        </header>
        <div className={css.body}>{children}</div>
        {actions && <footer className={css.foot}>{actions}</footer>}
      </div>
    </dialog>
  )
}
