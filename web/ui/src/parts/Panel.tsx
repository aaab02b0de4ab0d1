/** Panels: all that is known of what was picked, at the right of a drawing. */

import type { ReactNode } from 'react'
import { Button } from './Button'
import css from './Panel.module.css'

export function Panel({ kind, title, close, onClose, children }: {
  /** What kind of thing it is about: above its title. */
  readonly kind: string
  readonly title: string
  /** What the button that closes it is called. */
  readonly close: string
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  return (
    <aside className={css.panel} aria-label={title}>
      <header className={css.head}>
        <div>
          <small>{kind}</small>
          <h2>{title}</h2>
        </div>
        <Button look="quiet" isSmall icon="close" label={close} onClick={onClose} />
      </header>
      {children}
    </aside>
  )
}

export function PanelPart({ children }: { readonly children: ReactNode }) {
  return <div className={css.part}>{children}</div>
}

/** Names and their values; what has no value is left out. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={css.facts}>
      {rows.filter(([, value]) => value !== '').map(([name, value]) => [<dt key={`${name} name`}>{name}</dt>, <dd key={name}>{value}</dd>])}
    </dl>
  )
}
