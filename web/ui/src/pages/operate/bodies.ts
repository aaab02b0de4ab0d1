/** What was sent, as people read it. */

/** Write JSON over several lines; what is no JSON, or was cut, stays as it came. */
export function prettyBody(body: unknown): string {
  if (typeof body !== 'string') return JSON.stringify(body, null, 2) ?? ''
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
