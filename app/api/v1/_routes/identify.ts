import { getCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'
import type { Viewer } from '../../../../platform/access.ts'
import { viewerFromToken } from '../../../../platform/sessions.ts'
import { cameThroughEdge, clientAddress } from '../../../_server/client-address.ts'
import { foreignSite, isFromThisSite } from '../../../_server/same-site.ts'
import { cookieName, viewerFromCookie } from '../../../_server/session-cookie.ts'
import { ApiError } from './problem.ts'
import type { ApiContext, ApiEnv } from './router.ts'

/** Who asks: a bearer token, or the dashboard's cookie. Nobody gets past without one of them. */
export const identify = createMiddleware<ApiEnv>(async (c, next) => {
  const authorization = c.req.header('authorization')
  const viewer = authorization === undefined ? await fromCookie(c) : await fromBearer(c, authorization)
  c.set('viewer', viewer)
  await next()
})

async function fromBearer(c: ApiContext, authorization: string): Promise<Viewer> {
  const [, bearer] = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization) ?? []
  const { headers } = c.req.raw
  const options = { viaEdge: cameThroughEdge(headers), address: clientAddress(headers) }
  const viewer = bearer === undefined ? null : await viewerFromToken(c.get('platform'), bearer, options)
  if (viewer !== null) return viewer
  throw new ApiError('unauthenticated', 'The token is unknown, revoked or expired.', {
    'www-authenticate': 'Bearer realm="berth", error="invalid_token"',
  })
}

async function fromCookie(c: ApiContext): Promise<Viewer> {
  const platform = c.get('platform')
  const viewer = await viewerFromCookie(platform, getCookie(c, cookieName(platform.config, 'session')))
  if (viewer === null) {
    throw new ApiError('unauthenticated', 'Send a token as `Authorization: Bearer …`, or sign in.', {
      'www-authenticate': 'Bearer realm="berth"',
    })
  }
  if (!isSafe(c.req.method) && !isFromThisSite(c.req.raw.headers))
    throw new ApiError('forbidden', foreignSite)
  return viewer
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}
