/** Keys that work everywhere: Ctrl K and `/` open the search, `g` and a letter go to a page. */

import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import { ROUTES } from '../pages/routes'

/** `g` counts for the next key, if that comes soon. */
const SOON_MS = 1_200

export function useJumps(onSearch: () => void): void {
  const [, go] = useLocation()
  const search = useRef(onSearch)
  search.current = onSearch
  useEffect(() => {
    let leaderAt = -Infinity
    const pressed = (event: KeyboardEvent) => {
      // A dialog is answered first, and no page changes behind it.
      if (document.querySelector('dialog[open]')) return
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        search.current()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event)) return
      const isLed = event.timeStamp - leaderAt < SOON_MS
      leaderAt = -Infinity
      if (isLed) {
        const route = ROUTES.find((each) => each.nav?.key === event.key)
        if (route) {
          event.preventDefault()
          go(route.path)
        }
      } else if (event.key === 'g') leaderAt = event.timeStamp
      else if (event.key === '/') {
        event.preventDefault()
        search.current()
      }
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [go])
}

function isWriting(event: KeyboardEvent): boolean {
  const at = event.composedPath()[0]
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName))
}
