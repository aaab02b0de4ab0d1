/** Who is signed in: asked once, changed by signing in and out, told to whoever listens. */

import { call, onSignedOut, setCsrf } from './client'
import { ApiError } from './errors'
import type { SignedInView } from './schema'

export type Role = SignedInView['role']

/** `unknown`: not asked yet. */
export type SignIn =
  | { readonly is: 'unknown' }
  /** `isEnded`: they were in, and the server knows them no more. */
  | { readonly is: 'out'; readonly problem?: ApiError; readonly isEnded?: boolean }
  | { readonly is: 'in'; readonly session: SignedInView }

let current: SignIn = { is: 'unknown' }
const listeners = new Set<() => void>()

export function currentSignIn(): SignIn {
  return current
}

export function subscribeToSignIn(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Find out who is signed in. A token in the address's fragment signs in, and leaves the address at once. */
export async function findSession(): Promise<void> {
  const token = takeToken()
  try {
    settle(token ? await call<SignedInView>('POST', PATH, { body: { token } }) : await call<SignedInView>('GET', PATH))
  } catch (error) {
    setCsrf('')
    change({ is: 'out', ...(error instanceof ApiError && !(error.isSignedOut && !token) ? { problem: error } : {}) })
  }
}

/** Sign in by name and password, or by the admin token; throws ApiError where that is refused. */
export async function signIn(
  given: { readonly name: string; readonly password: string } | { readonly token: string },
): Promise<void> {
  settle(await call<SignedInView>('POST', PATH, { body: given }))
}

export async function signOut(): Promise<void> {
  let problem: ApiError | undefined
  try {
    await call('DELETE', PATH)
  } catch (error) {
    // Without an answer the session may live on: whoever signs out is told.
    if (error instanceof ApiError && !error.isSignedOut) problem = error
  }
  setCsrf('')
  change({ is: 'out', ...(problem ? { problem } : {}) })
}

/** Whether a role may do what another is needed for. */
export function mayDo(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed]
}

const PATH = '/api/v1/session'
const RANK: Readonly<Record<Role, number>> = { viewer: 0, editor: 1, admin: 2 }

onSignedOut(() => {
  if (current.is === 'in') change({ is: 'out', isEnded: true })
})

function settle(session: SignedInView): void {
  setCsrf(session.csrf)
  change({ is: 'in', session })
}

function change(next: SignIn): void {
  current = next
  for (const listener of listeners) listener()
}

/** Take `#token=...` out of the address, so that it is in no history, bookmark or screenshot. */
function takeToken(): string {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const token = fragment.get('token') ?? ''
  if (token) history.replaceState(history.state, '', location.pathname + location.search)
  return token
}
