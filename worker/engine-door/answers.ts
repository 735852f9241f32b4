import type { Context } from 'hono'
import type { z } from 'zod'
import { EngineError, type EngineErrorKind, isEngineError } from '../../engine/index.ts'
import type { DoorError } from '../../platform/model/engine-door.ts'
import { messageOf } from '../failure.ts'

const statusOf: Record<EngineErrorKind, 400 | 403 | 404 | 409 | 429 | 500 | 501 | 502 | 503 | 507> = {
  invalid: 400,
  'not-found': 404,
  'already-exists': 409,
  'failed-precondition': 409,
  'access-denied': 403,
  'rate-limited': 429,
  unavailable: 503,
  corrupt: 502,
  'limit-exceeded': 507,
  'disk-full': 507,
  canceled: 503,
  'wrong-platform': 501,
  unsupported: 501,
  internal: 500,
}

export function describe(error: unknown): DoorError {
  return { kind: isEngineError(error) ? error.kind : 'internal', message: messageOf(error) }
}

export function refuse(error: unknown): Response {
  const described = describe(error)
  if (!isEngineError(error)) return Response.json({ error: described }, { status: 500 })
  const seconds = error.retryAfterMs === undefined ? 60 : Math.ceil(error.retryAfterMs / 1_000)
  const headers = error.kind === 'rate-limited' ? { 'retry-after': String(seconds) } : undefined
  return Response.json({ error: described }, { status: statusOf[error.kind], headers })
}

/** The checked body of a request. Throws `invalid` with every problem and its field. */
export async function read<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> {
  const body = await c.req.json().catch(() => {
    throw new EngineError('invalid', 'The request holds no JSON.')
  })
  return checked(body, schema)
}

/** The `request` of an address whose body is something else, checked in the same way; without one: nothing. */
export function readQuery<Schema extends z.ZodType>(c: Context, schema: Schema): z.output<Schema> {
  const text = c.req.query('request') ?? '{}'
  try {
    return checked(JSON.parse(text), schema)
  } catch (error) {
    if (error instanceof SyntaxError) throw new EngineError('invalid', 'The request holds no JSON.')
    throw error
  }
}

function checked<Schema extends z.ZodType>(body: unknown, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the request'} ${message}`,
  )
  throw new EngineError('invalid', `${problems.join('; ')}.`)
}

/**
 * One JSON document a line for everything that `lines` yields, then its `{error}` if it throws. The source is told to
 * stop when the caller goes away, and waits while the caller does not read.
 */
export function stream(lines: (signal: AbortSignal) => AsyncIterable<unknown>): Response {
  const stop = new AbortController()
  const iterator = lines(stop.signal)[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next()
          if (done) controller.close()
          else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
        } catch (error) {
          if (stop.signal.aborted) return
          controller.enqueue(encoder.encode(`${JSON.stringify({ error: describe(error) })}\n`))
          controller.close()
        }
      },
      async cancel(reason) {
        stop.abort(reason)
        await iterator.return?.().catch(() => undefined)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } })
}

/** Work that reports while it goes on, as lines: every report that the caller is fast enough for, then the result. */
export async function* reported<Progress, Result>(
  work: (report: (progress: Progress) => void) => Promise<Result>,
): AsyncGenerator<{ progress: Progress } | { result: Result }> {
  let latest: { progress: Progress } | null = null
  let wake = Promise.withResolvers<void>()
  const done = work((progress) => {
    latest = { progress }
    wake.resolve()
  }).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  )
  let end: { result: Result } | { error: unknown } | null = null
  void done.then((value) => {
    end = value
    wake.resolve()
  })
  for (;;) {
    await wake.promise
    wake = Promise.withResolvers()
    if (latest !== null) {
      yield latest
      latest = null
    }
    const ended = end as { result: Result } | { error: unknown } | null
    if (ended === null) continue
    if ('error' in ended) throw ended.error
    yield ended
    return
  }
}
