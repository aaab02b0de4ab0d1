/** The cookie: the anonymous id, for all subdomains of a site, and where storage is cleared. */

import { attempt } from './attempt'
import { readId } from './ids'
import type { Settings } from './types'

const NAME = 'sojourn_id'
const TRIAL = 'sojourn_trial'
const PLAIN = /^[\w.:-]+$/ // as ours are, UUIDs
const YEAR_S = 31_536_000 // Chromium keeps none longer than 400 days.

export function readCookie(settings: Settings): string | null {
  return isOff(settings) ? null : readId(read(NAME))
}

export function keepCookie(settings: Settings, anonymousId: string): void {
  if (!isOff(settings) && read(NAME) !== anonymousId && PLAIN.test(anonymousId)) write(NAME, anonymousId, YEAR_S, domainOf(settings))
}

export function removeCookie(settings: Settings): void {
  if (!isOff(settings) && read(NAME) !== null) write(NAME, '', 0, domainOf(settings))
}

function isOff(settings: Settings): boolean {
  return settings.storage === 'memory' || settings.cookieDomain === 'none'
}

/** The widest domain that takes our cookie: browsers refuse those under which anybody can have a name (`co.uk`). */
function domainOf(settings: Settings): string {
  if (settings.cookieDomain) return settings.cookieDomain
  const parts = location.hostname.split('.')
  if (parts.length < 2 || /^\d+$/.test(parts[parts.length - 1]!)) return ''
  for (let n = 2; n <= parts.length; n++) {
    const domain = parts.slice(-n).join('.')
    write(TRIAL, '1', 10, domain)
    const isOurs = read(TRIAL) === '1'
    write(TRIAL, '', 0, domain)
    if (isOurs) return domain
  }
  return ''
}

function read(name: string): string | null {
  const cookies = attempt(() => document.cookie) ?? '' // a frame in a sandbox may not look
  const found = cookies.split('; ').find((each) => each.startsWith(`${name}=`))
  return found ? found.slice(name.length + 1) : null
}

function write(name: string, value: string, seconds: number, domain: string): void {
  const secure = location.protocol === 'https:' ? '; secure' : ''
  const where = domain ? `; domain=${domain}` : ''
  attempt(() => (document.cookie = `${name}=${value}; path=/; max-age=${seconds}; samesite=lax${where}${secure}`))
}
