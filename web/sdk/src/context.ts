/** Context: what an event says of the page, the campaign and the device it was made on. */

import { attempt } from './attempt'
import type { Consent, Device, Place, Properties } from './types'

export const LIBRARY = { name: 'sojourn-javascript', version: '0.1.0' } as const

// Advertisers' and mailers' ids in links, as the server knows them (src/sojourn/engine/channels.py).
export const CLICK_IDS = [
  'gclid', 'gbraid', 'wbraid', 'gad_source', 'msclkid', 'yclid', 'dclid', 'ttclid', 'li_fat_id', 'twclid', 'sccid',
  'rdt_cid', 'qclid', 'irclickid', 'cjevent', 'awc', 'mc_eid', 'mc_cid', '_kx', '_hsenc', 'mkt_tok', 'fbclid',
  'igshid', 'igsh', 'epik', 'srsltid',
] as const
const MAX_VALUE_CHARS = 512 // as much of a campaign as the server keeps

/** Make the context of one event. */
export function contextOf(place: Place, device: Device, consent: Consent, groupId: string | null): Properties {
  const campaign = campaignOf(place.url)
  return {
    library: LIBRARY,
    page: pageOf(place),
    ...(campaign && { campaign }),
    ...(consent.preferences && { consent: { categoryPreferences: consent.preferences } }),
    ...(groupId !== null && { groupId }),
    locale: device.locale,
    timezone: device.timezone,
    screen: device.screen,
  }
}

/** Say which page a place is, in the words of the Segment spec. */
export function pageOf(place: Place): Properties {
  const url = parse(place.url)
  return {
    url: place.url,
    path: url ? url.pathname : '',
    search: url ? url.search : '',
    referrer: place.referrer,
    title: place.title,
  }
}

/** Read `utm_*` and click ids off an address; null where it has none. `utm_campaign` is the campaign's `name`. */
export function campaignOf(address: string): Properties | null {
  const asked = parse(address)?.searchParams
  const found: Record<string, string> = {}
  asked?.forEach((value, given) => {
    const name = given.toLowerCase()
    const key = name.startsWith('utm_') ? name.slice(4) : isClickId(name) ? name : ''
    const known = key === 'campaign' ? 'name' : key
    if (value && known && !(known in found)) found[known] = value.slice(0, MAX_VALUE_CHARS)
  })
  return Object.keys(found).length ? found : null
}

// In a query: what is called so, or has an address of a person in it (`utm_content=ada@example.com`).
const SECRET = /([?&](?:[^=&#]*(?:token|passw|secret|session)[^=&#]*=|[^=&#]*=(?=[^&#]*(?:@|%40))))[^&#]*/gi

/** Write an address without its fragment, unless a router of the page's own lives there. Credentials and secrets go. */
export function cleanUrl(address: string): string {
  const url = parse(address)
  if (!url) return ''
  const route = /^#[!/]/.test(url.hash) ? url.hash : ''
  return url.origin === 'null' ? address.split('#')[0]! : url.origin + url.pathname + (url.search + route).replace(SECRET, '$1***')
}

function parse(address: string): URL | null {
  return attempt(() => new URL(address)) ?? null
}

function isClickId(name: string): boolean {
  return (CLICK_IDS as readonly string[]).includes(name)
}
