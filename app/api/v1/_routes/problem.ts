import { z } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { type FieldProblem, PlatformError, problemStatus } from '../../../../platform/errors.ts'

/** Those of the platform, and what only HTTP can get wrong. */
export const apiStatus = {
  ...problemStatus,
  'method-not-allowed': 405,
  'unsupported-media-type': 415,
} as const

export type ApiCode = keyof typeof apiStatus

const titles: Record<ApiCode, string> = {
  'bad-request': 'The request could not be read',
  unauthenticated: 'Sign in first',
  forbidden: 'Not allowed',
  'second-factor-needed': 'Two-factor sign-in is needed',
  'not-found': 'Not found',
  'method-not-allowed': 'Not possible here',
  conflict: 'Not possible now',
  'quota-exceeded': 'The team’s quota is used up',
  gone: 'No longer there',
  'too-large': 'Too large',
  'unsupported-media-type': 'Not JSON',
  invalid: 'Something in the request is not right',
  'rate-limited': 'Too many requests',
  internal: 'Something went wrong',
  unavailable: 'Not available at the moment',
}

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: 'A sentence for a person.' }),
    code: z.enum(Object.keys(apiStatus) as [ApiCode, ...ApiCode[]]).meta({ description: 'Never changes.' }),
    requestId: z.string().meta({ description: 'As in X-Request-Id; the server’s log has it too.' }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
  })
  .meta({ id: 'Problem', description: 'Problem details as in RFC 9457.' })

/** An error that only the API has words for. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ApiCode
  readonly headers: Record<string, string>

  constructor(code: ApiCode, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}

export interface Answer {
  code: ApiCode
  detail: string
  errors: FieldProblem[]
  headers: Record<string, string>
}

/** What the caller is told of an error. What was not made for the caller's eyes becomes `internal`. */
export function answerTo(error: unknown): Answer {
  if (error instanceof PlatformError) {
    return { code: error.code, detail: error.message, errors: error.fields, headers: headersFor(error) }
  }
  if (error instanceof ApiError)
    return { code: error.code, detail: error.message, errors: [], headers: error.headers }
  if (error instanceof HTTPException && error.status === 400) {
    return { code: 'bad-request', detail: 'The body is not JSON.', errors: [], headers: {} }
  }
  if (isOutage(error)) {
    const detail = 'The database or the queue does not answer. Try again in a moment.'
    return { code: 'unavailable', detail, errors: [], headers: { 'retry-after': '5' } }
  }
  const detail = 'Something went wrong on our side. The log has more under this request id.'
  return { code: 'internal', detail, errors: [], headers: {} }
}

/** RFC 9110: an answer 401 says how to authenticate (11.6.1), one that is worth trying again says when (10.2.3). */
function headersFor({ code, retryAfterSeconds }: PlatformError): Record<string, string> {
  return {
    ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer realm="berth"' } : {}),
    ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }),
  }
}

const outageCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
])

/** Words of the drivers, which come without a code; 57P01–57P03: PostgreSQL ends, crashed or starts. */
const outageWords =
  /Query read timeout|timeout exceeded when trying to connect|Connection terminated|Command timed out|57P0[123]|the database system is (starting up|shutting down|in recovery)|terminating connection/

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'MaxRetriesPerRequestError' || error.name === 'PrismaClientInitializationError')
    return true
  const { code } = error as Error & { code?: unknown }
  if (typeof code === 'string' && outageCodes.has(code)) return true
  return outageWords.test(error.message) || isOutage(error.cause)
}

export function problemResponse(answer: Answer, requestId: string): Response {
  const { code, detail, errors, headers } = answer
  const status = apiStatus[code]
  const problem: z.infer<typeof problemSchema> = {
    type: `urn:berth:problem:${code}`,
    title: titles[code],
    status,
    detail,
    code,
    requestId,
    errors,
  }
  return Response.json(problem, {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  })
}
