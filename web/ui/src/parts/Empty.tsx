/** Empty states: say what would stand here, why nothing does, and what to do about it. */

import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'
import css from './Empty.module.css'

export function Empty({ icon = 'info', title, children, action }: {
  readonly icon?: IconName
  readonly title: ReactNode
  readonly children?: ReactNode
  readonly action?: ReactNode
}) {
  return (
    <div className={css.empty}>
      <span className={css.icon}><Icon name={icon} size={20} /></span>
      <p className={css.title}>{title}</p>
      {children && <div className={css.text}>{children}</div>}
      {action}
    </div>
  )
}
