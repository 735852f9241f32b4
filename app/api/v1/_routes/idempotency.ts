import { createMiddleware } from 'hono/factory'
import { once } from '../../../../platform/idempotency.ts'
import { type ApiEnv, asked } from './router.ts'

/** Answers that carry a secret are never kept, so their routes run each time. */
const secretive =
  /^\/(tokens|operator\/|me\/two-factor|admin\/users\/[^/]+\/reset-link|teams\/[^/]+\/(tokens|invitations))/

/**
 * With `Idempotency-Key: <anything of one's own>` a POST that is sent again after a lost answer gets the first answer
 * (draft-ietf-httpapi-idempotency-key-header).
 */
export const idempotency = createMiddleware<ApiEnv>(async (c, next) => {
  const key = c.req.header('idempotency-key')
  const { method, path } = c.req
  if (key === undefined || method !== 'POST' || secretive.test(path)) return next()
  const body = await c.req.text()
  const { outcome, repeated } = await once(...asked(c), { key, method, path, body }, async () => {
    await next()
    const { status, headers } = c.res
    const text = await c.res.clone().text()
    return { outcome: { status, body: text, location: headers.get('location') }, keep: c.res.ok }
  })
  if (!repeated) return
  return new Response(outcome.body, {
    status: outcome.status,
    headers: {
      'content-type': 'application/json',
      'idempotency-replayed': 'true',
      ...(outcome.location === null ? {} : { location: outcome.location }),
    },
  })
})
