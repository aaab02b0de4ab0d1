/** The route table: every page, where it stands and what it is called. Pages load when they are first opened. */

import { lazy, type ComponentType, type LazyExoticComponent } from 'react'
import type { IconName } from '../parts/Icon'
import { SHELL } from '../text/shell'

export type Group = keyof typeof SHELL.groups

export interface Route {
  readonly path: string
  readonly title: string
  readonly page: LazyExoticComponent<ComponentType>
  /** Where it stands in the navigation; without one it is reached from other pages. */
  readonly nav?: { readonly group: Group; readonly icon: IconName; readonly key: string }
}

const { pages } = SHELL

/** `nav.key` is the letter that goes there after `g`. */
export const ROUTES: readonly Route[] = [
  { path: '/map', title: pages.map, page: lazy(() => import('./map')), nav: { group: 'observe', icon: 'map', key: 'm' } },
  { path: '/funnels', title: pages.funnels, page: lazy(() => import('./funnels')), nav: { group: 'observe', icon: 'funnel', key: 'f' } },
  { path: '/retention', title: pages.retention, page: lazy(() => import('./retention')), nav: { group: 'observe', icon: 'retention', key: 'r' } },
  { path: '/friction', title: pages.friction, page: lazy(() => import('./friction')), nav: { group: 'observe', icon: 'friction', key: 'c' } },
  { path: '/attribution', title: pages.attribution, page: lazy(() => import('./attribution')), nav: { group: 'observe', icon: 'attribution', key: 't' } },
  { path: '/journeys', title: pages.journeys, page: lazy(() => import('./journeys')), nav: { group: 'act', icon: 'journeys', key: 'j' } },
  { path: '/journeys/:name', title: pages.journeys, page: lazy(() => import('./journeys/one')) },
  { path: '/author', title: pages.author, page: lazy(() => import('./author')), nav: { group: 'act', icon: 'author', key: 'a' } },
  { path: '/author/*', title: pages.author, page: lazy(() => import('./author/edit')) },
  { path: '/experiments', title: pages.experiments, page: lazy(() => import('./experiments')), nav: { group: 'act', icon: 'experiments', key: 'e' } },
  { path: '/experiments/:name', title: pages.experiments, page: lazy(() => import('./experiments/one')) },
  { path: '/people', title: pages.people, page: lazy(() => import('./people')), nav: { group: 'people', icon: 'people', key: 'p' } },
  { path: '/people/:id', title: pages.person, page: lazy(() => import('./person')) },
  { path: '/operate', title: pages.operate, page: lazy(() => import('./operate')), nav: { group: 'run', icon: 'operate', key: 'o' } },
]

export const HOME = '/map'
