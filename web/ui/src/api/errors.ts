/** What can go wrong when the server is asked, as one kind of error that says what to do. */

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly do?: string
}

/** The server answered, and refused. `status` is HTTP's; 0 where no answer came. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly advice: string
  readonly body: unknown

  constructor(status: number, refusal: Refusal, body: unknown = null) {
    super(refusal.message)
    this.name = 'ApiError'
    this.status = status
    this.code = refusal.code
    this.advice = refusal.do ?? ''
    this.body = body
  }

  get isSignedOut(): boolean {
    return this.status === 401
  }

  /** Asking the same again may help. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

/** Read a refusal from what the server sent; anything else becomes one that names the status. */
export function readRefusal(status: number, body: unknown): ApiError {
  if (isRefusal(body)) return new ApiError(status, body, body)
  const message = typeof body === 'string' && body.trim() ? body.trim().slice(0, 300) : `the server answered ${status}`
  return new ApiError(status, { code: `http-${status}`, message }, body)
}

function isRefusal(body: unknown): body is Refusal {
  return (
    typeof body === 'object' && body !== null &&
    typeof (body as Refusal).code === 'string' && typeof (body as Refusal).message === 'string'
  )
}
