/** A link to one person's page. */

import { Link } from 'wouter'
import css from './PersonLink.module.css'

export function personPath(id: string): string {
  return `/people/${encodeURIComponent(id)}`
}

/** The id as somebody sent it: a profile's own id says before it whose it is. */
export function bareId(id: string): string {
  return id.replace(/^[ua]:/, '')
}

export function PersonLink({ id, name }: { readonly id: string; readonly name?: string }) {
  return <Link href={personPath(id)} className={css.person}>{name || id}</Link>
}
