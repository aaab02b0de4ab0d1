/** Buttons, and links that look like them. */

import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { Link } from 'wouter'
import { Icon, type IconName } from './Icon'
import { cx } from './cx'
import css from './Button.module.css'

export type Look = 'plain' | 'primary' | 'quiet' | 'danger'

interface Face {
  readonly look?: Look | undefined
  readonly icon?: IconName | undefined
  readonly isSmall?: boolean | undefined
  readonly children?: ReactNode
}

type ButtonProps = Face & ButtonHTMLAttributes<HTMLButtonElement> & {
  /** What it does, where it shows nothing but an icon. */
  readonly label?: string | undefined
  readonly isBusy?: boolean | undefined
}

export function Button({ look = 'plain', icon, isSmall, label, isBusy, children, className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={cx(css.button, css[look], isSmall && css.small, !children && css.bare, className)}
      aria-label={label}
      title={label ?? rest.title}
      aria-busy={isBusy || undefined}
      disabled={rest.disabled || isBusy}
    >
      {isBusy ? <span className={css.spin} aria-hidden /> : icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

export function LinkButton({ to, look = 'plain', icon, isSmall, children }: Face & { readonly to: string }) {
  return (
    <Link href={to} className={cx(css.button, css[look], isSmall && css.small)}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  )
}
