/** Who is signed in, for parts that show less to whoever may do less. */

import { createContext, use } from 'react'
import { mayDo, type Role, type SessionView } from '../api/session'

export const SessionContext = createContext<SessionView | null>(null)

/** Whether who is signed in has at least this role; the server refuses anyway where not. */
export function useMay(needed: Role): boolean {
  const session = use(SessionContext)
  return session !== null && mayDo(session.role, needed)
}
