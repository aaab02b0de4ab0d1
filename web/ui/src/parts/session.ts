/** Who is signed in, for parts that show less to whoever may do less. */

import { createContext, use } from 'react'
import type { SignedInView } from '../api/schema'
import { mayDo, type Role } from '../api/session'

export const SessionContext = createContext<SignedInView | null>(null)

/** Whether who is signed in has at least this role; the server refuses anyway where not. */
export function useMay(needed: Role): boolean {
  const session = use(SessionContext)
  return session !== null && mayDo(session.role, needed)
}

/** The name of who is signed in. */
export function useWho(): string {
  return use(SessionContext)?.name ?? ''
}
