/** Forgetting a person: for administrators, and only after the id was typed. */

import type { ProfileView } from '../../api/schema'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { useLocation } from 'wouter'
import { forgetPerson } from '../../api/people'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { Failure } from '../../parts/Failure'
import { useMay } from '../../parts/session'
import { COMMON } from '../../text/common'
import { PERSON } from '../../text/people'
import { askedId, idsOf } from './person'
import css from './person.module.css'

interface Props {
  readonly profile: ProfileView
  /** They are being forgotten, and the page must not ask for them; or it was refused, and it may again. */
  readonly onGone: (isGone: boolean) => void
}

export function Forget({ profile, onGone }: Props) {
  const [isAsking, setAsking] = useState(false)
  if (!useMay('admin')) return null
  return (
    <>
      <Button look="danger" icon="trash" onClick={() => setAsking(true)}>{PERSON.forget}</Button>
      {isAsking && <Asking profile={profile} onGone={onGone} onClose={() => setAsking(false)} />}
    </>
  )
}

function Asking({ profile, onGone, onClose }: Props & { readonly onClose: () => void }) {
  const id = askedId(profile)
  const [typed, setTyped] = useState('')
  const [reason, setReason] = useState('')
  const fields = useId()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const forgetting = useMutation({
    mutationFn: () => forgetPerson(id, typed, reason),
    onMutate: () => onGone(true),
    onError: () => onGone(false),
  })
  const leave = () => {
    queries.removeQueries({ queryKey: ['person'] })
    void queries.invalidateQueries({ queryKey: ['people'] })
    go('/people')
  }
  if (forgetting.data) {
    return (
      <Dialog title={PERSON.forgotten} onClose={leave} actions={<Button look="primary" onClick={leave}>{COMMON.close}</Button>}>
        <p>{PERSON.forgottenText(forgetting.data.n_events, forgetting.data.n_journeys)}</p>
      </Dialog>
    )
  }
  return (
    <Dialog
      title={PERSON.forgetTitle} onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button look="danger" icon="trash" disabled={typed !== id} isBusy={forgetting.isPending} onClick={() => forgetting.mutate()}>
            {PERSON.forgetGo}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <p>{PERSON.forgetText}</p>
        <div><h3>{PERSON.forgetIds}</h3><p>{idsOf(profile).map((one) => <code key={one.id} className={css.id}>{one.id}</code>)}</p></div>
        <label htmlFor={`${fields}-id`}>{PERSON.forgetType(id)}</label>
        <input id={`${fields}-id`} value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
        <label htmlFor={`${fields}-reason`}>{PERSON.forgetReason}</label>
        <input id={`${fields}-reason`} value={reason} onChange={(event) => setReason(event.target.value)} />
        {forgetting.isError && <Failure error={forgetting.error} />}
      </div>
    </Dialog>
  )
}
