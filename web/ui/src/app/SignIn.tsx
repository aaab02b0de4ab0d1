/** Signing in: by name and password, or by the admin token of the configuration. */

import { useState, type FormEvent } from 'react'
import { ApiError } from '../api/errors'
import { signIn } from '../api/session'
import { Button } from '../parts/Button'
import { Failure } from '../parts/Failure'
import { Segments } from '../parts/Tabs'
import { SIGN_IN } from '../text/shell'
import { Logo } from './Logo'
import css from './SignIn.module.css'

type Way = 'name' | 'token'

export function SignIn({ problem, isEnded }: { readonly problem?: ApiError | undefined; readonly isEnded?: boolean | undefined }) {
  const [way, setWay] = useState<Way>('name')
  const [error, setError] = useState<unknown>(problem)
  const [isBusy, setIsBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '')
    setIsBusy(true)
    setError(undefined)
    try {
      await signIn(way === 'token' ? { token: text('token').trim() } : { name: text('name').trim(), password: text('password') })
    } catch (failure) {
      setError(failure)
      setIsBusy(false)
    }
  }
  return (
    <main className={css.place}>
      <form className={css.form} onSubmit={(event) => void submit(event)}>
        <Logo size={36} />
        <h1>{SIGN_IN.title}</h1>
        <Segments
          label={SIGN_IN.title} current={way} onChange={(next) => { setWay(next); setError(undefined) }}
          tabs={[{ key: 'name', label: SIGN_IN.byName }, { key: 'token', label: SIGN_IN.byToken }]}
        />
        {isEnded && error === undefined && <p className={css.help} role="status">{SIGN_IN.ended}</p>}
        {way === 'name' ? (
          <>
            <label className={css.field}>{SIGN_IN.name}<input name="name" autoComplete="username" required autoFocus /></label>
            <label className={css.field}>
              {SIGN_IN.password}
              <input name="password" type="password" autoComplete="current-password" required />
            </label>
          </>
        ) : (
          <label className={css.field}>
            {SIGN_IN.token}
            <input name="token" type="password" autoComplete="off" required autoFocus />
          </label>
        )}
        {error instanceof ApiError && error.isSignedOut
          ? <p className={css.refused} role="alert">{SIGN_IN.refused}</p>
          : Boolean(error) && <Failure error={error} />}
        <Button type="submit" look="primary" isBusy={isBusy}>{SIGN_IN.go}</Button>
        <p className={css.help}>
          {way === 'token' ? SIGN_IN.tokenHelp : <>{SIGN_IN.nameHelp} <code>{SIGN_IN.nameCommand}</code></>}
        </p>
      </form>
    </main>
  )
}
