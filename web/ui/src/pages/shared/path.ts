/** Parts of the path that are ids: exactly as they were written, whatever is in them. */

import { useLocation } from 'wouter'

/** What stands after a prefix in the path of the page, decoded; empty where it is not there. */
export function usePathPart(prefix: string): string {
  useLocation() // drawn anew where the address changes; its own decoding leaves some letters and decodes others twice
  return partAfter(location.pathname, prefix)
}

/** `partAfter('/studio/people/u%3Aada', '/people/')` is `u:ada`. */
export function partAfter(path: string, prefix: string): string {
  const at = path.indexOf(prefix)
  if (at < 0) return ''
  const part = path.slice(at + prefix.length)
  try {
    return decodeURIComponent(part)
  } catch {
    return part // somebody typed a % into the address
  }
}
