/** Tabs: views of the same thing, of which one is shown; which one stands in the address. */

import { useId, useRef, type KeyboardEvent, type ReactNode } from 'react'
import { cx } from './cx'
import css from './Tabs.module.css'

export interface Tab<Key extends string = string> {
  readonly key: Key
  readonly label: ReactNode
}

interface Props<Key extends string> {
  readonly label: string
  readonly tabs: readonly Tab<Key>[]
  readonly current: Key
  readonly onChange: (key: Key) => void
  /** What the current tab shows; without it the tabs stand alone, as a switch. */
  readonly children?: ReactNode
  readonly actions?: ReactNode
  readonly className?: string
}

export function Tabs<Key extends string>({ label, tabs, current, onChange, children, actions, className }: Props<Key>) {
  const id = useId()
  const arrows = useArrows(tabs, current, onChange)
  return (
    <div className={cx(css.tabs, className)}>
      <div className={css.bar}>
        <div role="tablist" aria-label={label} {...arrows} className={css.list}>
          {tabs.map((tab) => (
            <button
              key={tab.key} type="button" role="tab" id={`${id}-${tab.key}`} data-key={tab.key} className={css.tab}
              aria-selected={tab.key === current} aria-controls={children === undefined ? undefined : `${id}-panel`}
              tabIndex={tab.key === current ? 0 : -1} onClick={() => onChange(tab.key)}
            >
              {tab.label}
            </button>
          ))}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </div>
      {children !== undefined && (
        <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current}`} className={css.panel}>
          {children}
        </div>
      )}
    </div>
  )
}

/** Arrows go from one to the next, and round: as in every list of which one is chosen. */
function useArrows<Key extends string>(tabs: readonly Tab<Key>[], current: Key, onChange: (key: Key) => void) {
  const list = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (!step) return
    event.preventDefault()
    const at = tabs.findIndex((tab) => tab.key === current)
    const next = tabs[(at + step + tabs.length) % tabs.length]
    if (!next) return
    onChange(next.key)
    list.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(next.key)}"]`)?.focus()
  }
  return { ref: list, onKeyDown: move }
}

/** A few exclusive choices side by side, as `Day | Week | Month`. */
export function Segments<Key extends string>({ label, tabs, current, onChange }: {
  readonly label: string
  readonly tabs: readonly Tab<Key>[]
  readonly current: Key
  readonly onChange: (key: Key) => void
}) {
  const arrows = useArrows(tabs, current, onChange)
  return (
    <div role="radiogroup" aria-label={label} {...arrows} className={css.segments}>
      {tabs.map((tab) => (
        <button
          key={tab.key} type="button" role="radio" data-key={tab.key} aria-checked={tab.key === current} className={css.segment}
          tabIndex={tab.key === current ? 0 : -1} onClick={() => onChange(tab.key)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  )
}
