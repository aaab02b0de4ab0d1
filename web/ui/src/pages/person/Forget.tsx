/** Forgetting a person: for administrators, and only after the id was typed. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { useLocation } from 'wouter'
import { forgetPerson, previewForgetting } from '../../api/people'
import type { ForgottenView, ProfileView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { Failure } from '../../parts/Failure'
import { Figure, Figures } from '../../parts/Figure'
import { count } from '../../parts/format'
import { useMay } from '../../parts/session'
import { COMMON } from '../../text/common'
import { PERSON } from '../../text/people'
import { askedId } from './person'
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
  const would = useQuery({ queryKey: ['would-forget', id], queryFn: ({ signal }) => previewForgetting(id, signal), staleTime: 0, gcTime: 0 })
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
          <Button look="danger" icon="trash" disabled={typed !== id || !would.isSuccess} isBusy={forgetting.isPending} onClick={() => forgetting.mutate()}>
            {PERSON.forgetGo}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <p>{PERSON.forgetText}</p>
        <Answer query={would}>{(view) => <Would view={view} />}</Answer>
        <label htmlFor={`${fields}-id`}>{PERSON.forgetType(id)}</label>
        <input id={`${fields}-id`} value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
        <label htmlFor={`${fields}-reason`}>{PERSON.forgetReason}</label>
        <input id={`${fields}-reason`} value={reason} onChange={(event) => setReason(event.target.value)} />
        {forgetting.isError && <Failure error={forgetting.error} />}
      </div>
    </Dialog>
  )
}

/** So many facts are counted, and no more. */
const MOST_FACTS = 10_000

/** What goes, counted before anything does. */
function Would({ view }: { readonly view: ForgottenView }) {
  const { goes } = PERSON
  return (
    <>
      <Figures>
        <Figure label={goes.events} value={count(view.n_events)} />
        <Figure label={goes.facts} value={view.n_facts < MOST_FACTS ? count(view.n_facts) : goes.orMore(count(view.n_facts))} />
        <Figure label={goes.actions} value={count(view.n_actions)} />
        <Figure label={goes.failed} value={count(view.n_failed)} />
        <Figure label={goes.journeys} value={count(view.n_journeys)} />
      </Figures>
      <div><h3>{PERSON.forgetIds}</h3><p>{view.ids.map((id) => <code key={id} className={css.id}>{id}</code>)}</p></div>
      {view.shared.length > 0 && <p>{goes.shared(view.shared.join(', '))}</p>}
    </>
  )
}
