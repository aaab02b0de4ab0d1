/** Failures: what went wrong, and what to do about it; for a question that was refused, and for a bug. */

import { Component, type ErrorInfo, type ReactNode } from 'react'
import { ApiError } from '../api/errors'
import { COMMON } from '../text/common'
import { Button } from './Button'
import css from './Failure.module.css'

/** What the server said. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const told = tell(error)
  return (
    <div className={css.failure} role="alert">
      <p className={css.title}>{told.title}</p>
      {told.advice && <p className={css.advice}>{told.advice}</p>}
      {told.code && <code className={css.code}>{told.code}</code>}
      {onRetry && <Button isSmall onClick={onRetry}>{COMMON.retry}</Button>}
    </div>
  )
}

interface Broken {
  readonly error: Error | null
}

/** Keeps a bug in one part from taking the whole page away. `at` changes: try again. */
export class Boundary extends Component<{ readonly at?: string; readonly children: ReactNode }, Broken> {
  override state: Broken = { error: null }

  static getDerivedStateFromError(error: Error): Broken {
    return { error }
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(error, info.componentStack)
  }

  override componentDidUpdate(before: { readonly at?: string }): void {
    if (before.at !== this.props.at && this.state.error) this.setState({ error: null })
  }

  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <div className={css.failure} role="alert">
        <p className={css.title}>{COMMON.failed.bug}</p>
        <p className={css.advice}>{COMMON.failed.bugAdvice}</p>
        <details className={css.details}>
          <summary>{COMMON.failed.details}</summary>
          <pre>{error.stack ?? error.message}</pre>
        </details>
        <Button isSmall onClick={() => location.reload()}>{COMMON.failed.reload}</Button>
      </div>
    )
  }
}

function tell(error: unknown): { readonly title: string; readonly advice: string; readonly code: string } {
  if (!(error instanceof ApiError)) return { title: COMMON.failed.title, advice: String(error), code: '' }
  const advice = error.advice || (error.status === 403 ? COMMON.failed.denied : '')
  return { title: error.message, advice, code: error.code }
}
