/** Stable codes of problems; each has one HTTP status. The API shows them, the dashboard has words for them. */
export const problemStatus = {
  'bad-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'second-factor-needed': 403,
  'not-found': 404,
  conflict: 409,
  'quota-exceeded': 409,
  gone: 410,
  'too-large': 413,
  invalid: 422,
  'rate-limited': 429,
  internal: 500,
  unavailable: 503,
} as const

export type ProblemCode = keyof typeof problemStatus

export interface FieldProblem {
  /** Such as settings.port. */
  path: string
  message: string
}

const usualWaitSeconds: Partial<Record<ProblemCode, number>> = { 'rate-limited': 60, unavailable: 5 }

/** An error meant for the person who asked: `message` is a sentence that says what to do. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
  readonly code: ProblemCode
  readonly fields: FieldProblem[]
  /** When to try again, where that is known. */
  readonly retryAfterSeconds: number | null

  constructor(
    code: ProblemCode,
    message: string,
    options: { fields?: FieldProblem[]; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.fields = options.fields ?? []
    this.retryAfterSeconds = options.retryAfterSeconds ?? usualWaitSeconds[code] ?? null
  }

  get status(): number {
    return problemStatus[this.code]
  }
}
