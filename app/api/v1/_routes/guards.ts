import { createMiddleware } from 'hono/factory'
import { ApiError } from './problem.ts'
import { type Api, type ApiContext, type ApiEnv, basePath } from './router.ts'

/** 404 for paths that lead nowhere, 405 with the ways that exist, before anybody is asked who he is. */
export function checkRoute(api: Api) {
  let known: { method: string; pattern: RegExp }[] | undefined
  return createMiddleware<ApiEnv>(async (c, next) => {
    known ??= api.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:[^/]+/g, '[^/]+')}$`) }))
    const methods = new Set(
      known.filter(({ pattern }) => pattern.test(c.req.path)).map(({ method }) => method),
    )
    if (methods.size === 0)
      throw new ApiError('not-found', `There is nothing at this path. See ${basePath}/docs.`)
    if (methods.has('GET')) methods.add('HEAD')
    if (methods.has(c.req.method)) return next()
    const allow = [...methods, 'OPTIONS'].join(', ')
    if (c.req.method === 'OPTIONS') return c.body(null, 204, { allow })
    throw new ApiError('method-not-allowed', `Possible here: ${allow}.`, { allow })
  })
}

/** Text that the database can't hold is refused here, once for all fields. */
export const checkText = createMiddleware<ApiEnv>(async (c, next) => {
  const { pathname, search } = new URL(c.req.url)
  if (/%00/.test(pathname + search)) throw new ApiError('bad-request', 'The address holds a NUL character.')
  await next()
})

/** A body must say that it is JSON: forms, which other sites can send, don't. */
export const checkBody = createMiddleware<ApiEnv>(async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
  const type = c.req.header('content-type')
  const hasBody =
    Number(c.req.header('content-length') ?? 0) > 0 || c.req.header('transfer-encoding') !== undefined
  if (type === undefined ? hasBody : !/^application\/([a-z0-9.+-]+\+)?json *(;|$)/i.test(type)) {
    throw new ApiError(
      'unsupported-media-type',
      'The body must be JSON, with Content-Type: application/json.',
    )
  }
  if (type !== undefined && (await c.req.text()) === '') forgetType(c)
  else if (type !== undefined) await refuseBadText(() => c.req.json())
  await next()
})

/** Many clients say what their body would be when they send none. */
function forgetType(c: ApiContext): void {
  const headers = new Headers(c.req.raw.headers)
  headers.delete('content-type')
  c.req.raw = new Request(c.req.raw.url, { method: c.req.method, headers, signal: c.req.raw.signal })
}

async function refuseBadText(read: () => Promise<unknown>): Promise<void> {
  let body: unknown
  try {
    body = await read()
  } catch {
    throw new ApiError('bad-request', 'The body is not JSON.')
  }
  if (hasBadText(body))
    throw new ApiError('bad-request', 'The body holds a NUL character or half a character.')
}

function hasBadText(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed()
  if (value === null || typeof value !== 'object') return false
  return Object.entries(value).some(([key, inner]) => hasBadText(key) || hasBadText(inner))
}
