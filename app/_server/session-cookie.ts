import { decode } from 'next-auth/jwt'
import type { Viewer } from '../../platform/access.ts'
import type { Config } from '../../platform/config.ts'
import type { Platform } from '../../platform/open.ts'
import { checkSession } from '../../platform/sessions.ts'

/**
 * `device`: known-devices.ts; `step`: between the two steps of signing in; `link`: an identity is to be added to the
 * account; the others are next-auth's.
 */
export type CookieName =
  | 'session'
  | 'csrf'
  | 'callback'
  | 'state'
  | 'pkce'
  | 'nonce'
  | 'device'
  | 'step'
  | 'link'

/** Cookies know no ports: two installations on one machine must not sign each other's users out. */
export function cookieName(config: Pick<Config, 'port'>, what: CookieName): string {
  return `berth_${config.port}_${what}`
}

/** Who holds this cookie, if its signature is ours and the session that it names still lives. */
export async function viewerFromCookie(
  platform: Platform,
  value: string | undefined,
): Promise<Viewer | null> {
  const sessionId = await sessionIdFrom(platform, value)
  return sessionId === null ? null : checkSession(platform, sessionId)
}

/** Null where the cookie is none of ours. Says nothing about whether the session lives. */
export async function sessionIdFrom(platform: Platform, value: string | undefined): Promise<string | null> {
  if (value === undefined || value === '') return null
  try {
    const token = await decode({ token: value, secret: platform.config.readSecret('auth.secret') })
    return typeof token?.sessionId === 'string' ? token.sessionId : null
  } catch {
    // Forged, cut off, expired, or of an installation that was here before.
    return null
  }
}
