/** The frame: navigation on the left, the page on the right, and what works everywhere. */

import { useQueryClient } from '@tanstack/react-query'
import { Suspense, useEffect, useRef, useState } from 'react'
import { Link, Redirect, Route as At, Switch, useLocation } from 'wouter'
import { ApiError } from '../api/errors'
import { useLive } from '../api/live'
import type { SignedInView } from '../api/schema'
import { signOut } from '../api/session'
import { HOME, ROUTES, type Group } from '../pages/routes'
import { Badge } from '../parts/Badge'
import { Button, LinkButton } from '../parts/Button'
import { Empty } from '../parts/Empty'
import { Boundary } from '../parts/Failure'
import { shortCount } from '../parts/format'
import { Icon } from '../parts/Icon'
import { Page } from '../parts/Page'
import { SessionContext } from '../parts/session'
import { chooseTheme, useTheme, type Theme } from '../parts/theme'
import { Spinner } from '../parts/Waiting'
import { isOperator, whoOf } from '../parts/who'
import { COMMON } from '../text/common'
import { SHELL } from '../text/shell'
import { useJumps } from './jumps'
import { Logo } from './Logo'
import { Palette } from './Palette'
import css from './Shell.module.css'

export function Shell({ session }: { readonly session: SignedInView }) {
  const [isPalette, setIsPalette] = useState(false)
  useJumps(() => setIsPalette(true))
  useComingBack()
  return (
    <SessionContext value={session}>
      <a className={css.skip} href="#content">{SHELL.skip}</a>
      <div className={css.shell}>
        <aside className={css.side}>
          <div className={css.brand}><Logo /><span>{COMMON.product}</span><LiveDot /></div>
          <button type="button" className={css.search} onClick={() => setIsPalette(true)}>
            <Icon name="search" size={14} /><span>{SHELL.search}</span><kbd>Ctrl K</kbd>
          </button>
          <Navigation />
          <You session={session} />
        </aside>
        <main id="content" className={css.main} tabIndex={-1}><Pages /></main>
      </div>
      {isPalette && <Palette onClose={() => setIsPalette(false)} />}
    </SessionContext>
  )
}

/** What failed while the server was away is asked again when it is back. */
function useComingBack(): void {
  const queries = useQueryClient()
  const { state } = useLive()
  const wasLost = useRef(false)
  useEffect(() => {
    if (state === 'lost') wasLost.current = true
    if (state !== 'open' || !wasLost.current) return
    wasLost.current = false
    void queries.refetchQueries({ type: 'active', predicate: ({ state: { error } }) => error instanceof ApiError && error.isPassing })
  }, [queries, state])
}

function Pages() {
  const [location] = useLocation()
  return (
    <Boundary at={location}>
      <Suspense fallback={<Spinner />}>
        <Switch>
          <At path="/"><Redirect to={HOME} replace /></At>
          {ROUTES.map((route) => <At key={route.path} path={route.path} component={route.page} />)}
          <At>
            <Page title={SHELL.missing.title}>
              <Empty icon="map" title={SHELL.missing.title} action={<LinkButton to={HOME}>{SHELL.missing.home}</LinkButton>}>
                {SHELL.missing.text}
              </Empty>
            </Page>
          </At>
        </Switch>
      </Suspense>
    </Boundary>
  )
}

function Navigation() {
  const [location] = useLocation()
  return (
    <nav className={css.nav} aria-label={SHELL.navigation}>
      {(Object.keys(SHELL.groups) as Group[]).map((group) => (
        <div key={group}>
          <h2 className={css.group}>{SHELL.groups[group]}</h2>
          <ul>
            {ROUTES.filter((route) => route.nav?.group === group).map((route) => {
              const isHere = location === route.path || location.startsWith(`${route.path}/`)
              return (
                <li key={route.path}>
                  <Link href={route.path} className={css.item} aria-current={isHere ? 'page' : undefined} title={`g ${route.nav?.key}`}>
                    {route.nav && <Icon name={route.nav.icon} />}{route.title}
                  </Link>
                </li>
              )
            })}
          </ul>
        </div>
      ))}
    </nav>
  )
}

function LiveDot() {
  const live = useLive()
  const lag = live.progress?.lag ?? 0
  if (live.state === 'open') {
    return <Badge tone="good" hasDot title={lag > 0 ? SHELL.live.lag(shortCount(lag)) : SHELL.live.open}>{SHELL.live.open}</Badge>
  }
  return <Badge tone={live.state === 'lost' ? 'warn' : 'plain'} hasDot title={SHELL.live[live.state]}>{SHELL.live.connecting}</Badge>
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }
const THEME_ICON = { system: 'system', light: 'sun', dark: 'moon' } as const

function You({ session }: { readonly session: SignedInView }) {
  const theme = useTheme()
  return (
    <div className={css.you}>
      <span className={css.face} aria-hidden>{whoOf(session.name).slice(0, 1).toUpperCase()}</span>
      <span className={css.who}>
        <span className={css.name} title={isOperator(session.name) ? SHELL.operatorAbout : undefined}>{whoOf(session.name)}</span>
        <span className={css.role} title={SHELL.role[session.role]}>{session.role}</span>
      </span>
      <Button
        look="quiet" isSmall icon={THEME_ICON[theme]} label={`${SHELL.theme.label}: ${SHELL.theme[theme]}`}
        onClick={() => chooseTheme(NEXT_THEME[theme])}
      />
      <Button look="quiet" isSmall icon="out" label={SHELL.out} onClick={() => void signOut()} />
    </div>
  )
}
