/** The filter bar: what a page is about, as controls in a row; what they say stands in the address. */

import { useEffect, useId, useRef, type ReactNode } from 'react'
import { COMMON } from '../text/common'
import { Button } from './Button'
import css from './Filters.module.css'

export function FilterBar({ children, onClear }: {
  readonly children: ReactNode
  /** Given where something is filtered. */
  readonly onClear?: (() => void) | undefined
}) {
  return (
    <div className={css.bar} role="group" aria-label={COMMON.filter}>
      {children}
      {onClear && <Button look="quiet" isSmall icon="close" onClick={onClear}>{COMMON.clear}</Button>}
    </div>
  )
}

export interface Choice {
  readonly value: string
  readonly label: string
}

export function Select({ label, value, choices, onChange, isLabelHidden }: {
  readonly label: string
  readonly value: string
  readonly choices: readonly Choice[]
  readonly onChange: (value: string) => void
  readonly isLabelHidden?: boolean
}) {
  const id = useId()
  return (
    <span className={css.field}>
      <label htmlFor={id} className={isLabelHidden ? 'visually-hidden' : css.label}>{label}</label>
      <select id={id} className={css.select} value={value} onChange={(event) => onChange(event.target.value)}>
        {choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.label}</option>)}
      </select>
    </span>
  )
}

/** A text that counts when Enter is pressed or the field is left, so that not every letter asks the server. */
export function TextField({ label, value, onChange, placeholder, choices, type = 'text', isLabelHidden, width }: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
  readonly choices?: readonly string[]
  readonly type?: 'text' | 'date' | 'number' | 'search'
  readonly isLabelHidden?: boolean
  readonly width?: number
}) {
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  // Written into the field, and no new field: whoever pressed Enter in it stays in it.
  useEffect(() => {
    if (field.current) field.current.value = value
  }, [value])
  const settle = (text: string) => { if (text.trim() !== value) onChange(text.trim()) }
  return (
    <span className={css.field}>
      <label htmlFor={id} className={isLabelHidden ? 'visually-hidden' : css.label}>{label}</label>
      <input
        ref={field} id={id} type={type} className={css.input} defaultValue={value} placeholder={placeholder}
        list={choices ? `${id}-choices` : undefined} style={width ? { width } : undefined}
        onBlur={(event) => settle(event.target.value)}
        onKeyDown={(event) => { if (event.key === 'Enter') settle(event.currentTarget.value) }}
      />
      {choices && <datalist id={`${id}-choices`}>{choices.map((choice) => <option key={choice} value={choice} />)}</datalist>}
    </span>
  )
}

export function Check({ label, isOn, onChange }: {
  readonly label: ReactNode
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
}) {
  return (
    <label className={css.check}>
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  )
}
