/** The client: the one place that sends requests. Every other module of `api` goes through it. */

import createClient, { type Middleware } from 'openapi-fetch'
import { ApiError, readRefusal } from './errors'
import type { paths } from './schema'

/** Parameters of a query; what is empty is left out, and what is a list is repeated. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

interface Asking {
  readonly query?: Query
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

let csrf = ''
let whenSignedOut: () => void = () => undefined

/** Remember the token that changing requests carry; empty: nobody is signed in. */
export function setCsrf(token: string): void {
  csrf = token
}

/** Call this when the server says that nobody is signed in any more. */
export function onSignedOut(told: () => void): void {
  whenSignedOut = told
}

const SAFE = new Set(['GET', 'HEAD'])

const guarding: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method) && csrf) request.headers.set('X-CSRF-Token', csrf)
    return request
  },
}

/** The typed client: its paths, parameters and answers are those of the server's OpenAPI document. */
export const client = createClient<paths>({
  baseUrl: '',
  querySerializer: (query) => writeQuery(query as Query),
  fetch: (request) => send(request),
})
client.use(guarding)

/** Take the answer of a typed call, or throw the ApiError it is. */
export async function unwrap<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await asked
  if (!response.ok) throw readRefusal(response.status, error)
  return data as T
}

/** Ask a path by hand, and read its JSON; for paths whose answers the document leaves open. */
export async function call<T>(method: string, path: string, asking: Asking = {}): Promise<T> {
  return (await answered<T>(method, path, asking)).data
}

/** As `call`, with the answer's headers. */
export async function answered<T>(
  method: string, path: string, asking: Asking = {},
): Promise<{ readonly data: T; readonly headers: Headers }> {
  const query = asking.query ? writeQuery(asking.query) : ''
  const headers = new Headers(asking.headers)
  if (asking.body !== undefined) headers.set('Content-Type', 'application/json')
  if (!SAFE.has(method) && csrf) headers.set('X-CSRF-Token', csrf)
  const response = await send(new Request(new URL(query ? `${path}?${query}` : path, location.origin), {
    method,
    headers,
    body: asking.body === undefined ? null : JSON.stringify(asking.body),
    signal: asking.signal ?? null,
  }))
  const body = await readBody(response)
  if (!response.ok) throw readRefusal(response.status, body)
  return { data: body as T, headers: response.headers }
}

/** Write a query as the server reads it.
 *
 * `writeQuery({ goal: ['A', 'B'], limit: 3, since: '' })` is `goal=A&goal=B&limit=3`.
 */
export function writeQuery(query: Query): string {
  const written = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    if (Array.isArray(value)) for (const each of value) written.append(name, String(each))
    else written.append(name, String(value))
  }
  return written.toString()
}

async function send(request: Request): Promise<Response> {
  const isSession = new URL(request.url).pathname === '/api/v1/session'
  try {
    const response = await fetch(request, { credentials: 'same-origin' })
    if (response.status === 401 && !isSession) whenSignedOut()
    return response
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, {
      code: 'no-answer',
      message: 'The server does not answer.',
      do: 'See whether it runs and the network is up; this page goes on by itself.',
    })
  }
}

async function readBody(response: Response): Promise<unknown> {
  if (response.status === 204) return null
  const text = await response.text()
  if (!response.headers.get('Content-Type')?.includes('json')) return text
  return text ? JSON.parse(text) : null
}
