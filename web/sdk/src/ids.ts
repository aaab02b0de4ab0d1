/** Ids that name nobody: what languages print for nothing, and words that many people would share. */

// The server's list (src/sojourn/model/ids.py), held to it by a test.
const BLOCKED = new Set(
  (
    'null,undefined,none,nil,nan,n/a,na,(null),<null>,[object object],[],{},true,false,-1,anonymous,guest,unknown,' +
    'unset,not set,not_set,not_authenticated,unauthenticated,visitor,id,distinct_id,distinctid,user_id,userid,' +
    'anonymous_id,anonymousid,email'
  ).split(','),
)

/** Read an id that a page was given; null where it names nobody. Numbers are taken as their digits. */
export function readId(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null
  const text = String(value).trim()
  return /^[0-]*$/.test(text) || BLOCKED.has(text.toLowerCase()) ? null : text
}
