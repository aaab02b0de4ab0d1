/** Accounts: who may sign in, and what they may do; for administrators. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useId, useState, type FormEvent, type ReactNode } from 'react'
import { addAccount, listAccounts, removeAccount, setPassword } from '../../api/operate'
import type { AccountView } from '../../api/schema'
import type { Role } from '../../api/session'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Dialog } from '../../parts/Dialog'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { ago, instant } from '../../parts/format'
import { Table, type Column } from '../../parts/Table'
import { COMMON } from '../../text/common'
import { ACCOUNTS } from '../../text/operate'
import css from './operate.module.css'

type Asked = { readonly is: 'add' } | { readonly is: 'password' | 'remove'; readonly name: string }

export function AccountsTab() {
  const accounts = useQuery({ queryKey: ['accounts'], queryFn: ({ signal }) => listAccounts(signal) })
  const [asked, setAsked] = useState<Asked | null>(null)
  return (
    <Card title={ACCOUNTS.title} note={ACCOUNTS.note} isFlush actions={<Button look="primary" icon="plus" onClick={() => setAsked({ is: 'add' })}>{ACCOUNTS.add}</Button>}>
      <Answer query={accounts}>
        {(found) => (
          <Table
            label={ACCOUNTS.title} rows={found} columns={columns(setAsked)} rowKey={(row) => row.name}
            empty={<Empty icon="user" title={ACCOUNTS.emptyTitle}>{ACCOUNTS.empty}</Empty>}
          />
        )}
      </Answer>
      {asked && <Asking asked={asked} onClose={() => setAsked(null)} />}
    </Card>
  )
}

function columns(onAsk: (asked: Asked) => void): readonly Column<AccountView>[] {
  const { columns: names } = ACCOUNTS
  const now = Date.now()
  return [
    { key: 'name', title: names.name, value: (row) => row.name, cell: (row) => <strong>{row.name}</strong> },
    { key: 'role', title: names.role, value: (row) => row.role, cell: (row) => <Badge tone={row.role === 'admin' ? 'accent' : 'plain'} title={ACCOUNTS.roles[row.role]}>{row.role}</Badge> },
    { key: 'created', title: names.created, value: (row) => row.created_at, cell: (row) => instant(row.created_at, false) },
    { key: 'seen', title: names.seen, value: (row) => row.last_seen_at, cell: (row) => (row.last_seen_at === null ? ACCOUNTS.never : ago(row.last_seen_at, now)) },
    {
      key: 'action', title: names.action, isFixed: true, value: () => null,
      cell: (row) => (
        <span className={css.actions}>
          <Button isSmall onClick={() => onAsk({ is: 'password', name: row.name })}>{ACCOUNTS.setPassword}</Button>
          <Button isSmall look="danger" icon="trash" onClick={() => onAsk({ is: 'remove', name: row.name })}>{ACCOUNTS.remove}</Button>
        </span>
      ),
    },
  ]
}

function Asking({ asked, onClose }: { readonly asked: Asked; readonly onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [password, setIt] = useState('')
  const queries = useQueryClient()
  const doing = useMutation({
    mutationFn: () =>
      asked.is === 'add' ? addAccount(name, role, password) : asked.is === 'password' ? setPassword(asked.name, password) : removeAccount(asked.name),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['accounts'] })
      onClose()
    },
  })
  const words = wordsOf(asked)
  const form = useId()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    doing.mutate()
  }
  return (
    <Dialog
      title={words.title} onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button type="submit" form={form} look={asked.is === 'remove' ? 'danger' : 'primary'} isBusy={doing.isPending}>{words.go}</Button>
        </>
      }
    >
      <form id={form} className={css.form} onSubmit={submit}>
        {asked.is === 'remove' && <p>{ACCOUNTS.removeText}</p>}
        {asked.is === 'add' && <Field label={ACCOUNTS.name}>{(id) => <input id={id} required value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />}</Field>}
        {asked.is === 'add' && (
          <Field label={ACCOUNTS.role}>
            {(id) => (
              <select id={id} value={role} onChange={(event) => setRole(event.target.value as Role)}>
                {Object.entries(ACCOUNTS.roles).map(([key, says]) => <option key={key} value={key}>{says}</option>)}
              </select>
            )}
          </Field>
        )}
        {asked.is !== 'remove' && (
          <Field label={ACCOUNTS.password} hint={ACCOUNTS.passwordHint}>
            {(id) => <input id={id} type="password" required minLength={12} value={password} autoComplete="new-password" onChange={(event) => setIt(event.target.value)} />}
          </Field>
        )}
        {doing.isError && <Failure error={doing.error} />}
      </form>
    </Dialog>
  )
}

function Field({ label, hint, children }: { readonly label: string; readonly hint?: string; readonly children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <>
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint && <p className={css.muted}>{hint}</p>}
    </>
  )
}

function wordsOf(asked: Asked): { readonly title: string; readonly go: string } {
  switch (asked.is) {
    case 'add':
      return { title: ACCOUNTS.addTitle, go: ACCOUNTS.addGo }
    case 'password':
      return { title: ACCOUNTS.setPasswordTitle(asked.name), go: ACCOUNTS.setPasswordGo }
    case 'remove':
      return { title: ACCOUNTS.removeTitle(asked.name), go: ACCOUNTS.removeGo }
    default:
      return asked satisfies never
  }
}
