/** The application: who is signed in sees the pages, who is not signs in; the address stays as it is. */

import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { Router } from 'wouter'
import { ApiError } from '../api/errors'
import { currentSignIn, findSession, subscribeToSignIn } from '../api/session'
import { Boundary } from '../parts/Failure'
import { Spinner } from '../parts/Waiting'
import { SIGN_IN } from '../text/shell'
import { Shell } from './Shell'
import { SignIn } from './SignIn'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server refuses is refused the second time, too; what is only busy is asked again.
      retry: (nFailed, error) => nFailed < 2 && error instanceof ApiError && error.isPassing,
      refetchOnWindowFocus: false,
    },
  },
})

/** Where the server has the studio. */
const BASE = '/studio'

export function App() {
  const signIn = useSyncExternalStore(subscribeToSignIn, currentSignIn)
  useEffect(() => {
    void findSession()
  }, [])
  useEffect(() => {
    if (signIn.is !== 'out') return
    queries.clear()
    sessionStorage.clear()
  }, [signIn.is])
  return (
    <Boundary>
      <QueryClientProvider client={queries}>
        <Router base={BASE}>
          {signIn.is === 'in' ? <Shell session={signIn.session} />
            : signIn.is === 'out' ? <SignIn problem={signIn.problem} isEnded={signIn.isEnded} />
              : <Spinner label={SIGN_IN.waiting} />}
        </Router>
      </QueryClientProvider>
    </Boundary>
  )
}
