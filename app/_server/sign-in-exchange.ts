import type { Config } from '../../platform/config.ts'
import type { Origin } from '../../platform/origin.ts'
import { clientAddress } from './client-address.ts'
import { type CookieName, cookieName } from './session-cookie.ts'

/** One request to sign in and its answer: what next-auth's own callbacks can't see of the one and add to the other. */
export interface Exchange {
  readonly origin: Origin
  cookie(what: CookieName): string | undefined
  /** For the answer. Null takes the cookie away. */
  setCookie(what: CookieName, value: string | null, maxAgeSeconds?: number): void
  /** Whole Set-Cookie headers. */
  readonly setCookies: string[]
}

export function createExchange(
  config: Pick<Config, 'port' | 'publicUrl'>,
  headers: Headers,
  readCookie: (name: string) => string | undefined,
): Exchange {
  const setCookies: string[] = []
  const secure = config.publicUrl.startsWith('https://') ? '; Secure' : ''
  const cookie = (what: CookieName) => readCookie(cookieName(config, what))
  return {
    origin: {
      address: clientAddress(headers),
      userAgent: headers.get('user-agent'),
      device: cookie('device') ?? null,
    },
    cookie,
    setCookie(what, value, maxAgeSeconds = 0) {
      const name = cookieName(config, what)
      const attributes = `Path=/; Max-Age=${value === null ? 0 : maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`
      setCookies.push(`${name}=${encodeURIComponent(value ?? '')}; ${attributes}`)
    },
    setCookies,
  }
}
