import type { AuthOptions } from 'next-auth'
import CredentialsProvider from 'next-auth/providers/credentials'
import { PlatformError } from '../../platform/errors.ts'
import type { Platform } from '../../platform/open.ts'
import { checkSession, endSession, sessionDays, signIn } from '../../platform/sessions.ts'
import { getUser } from '../../platform/users.ts'
import { clientAddress } from './client-address.ts'
import { safeNext } from './safe-next.ts'
import { cookieName } from './session-cookie.ts'

/**
 * Sign-in with e-mail and password (provider `credentials`). The cookie's token names a session of the platform, which
 * every request asks for, so ending that session works at once. Errors that the browser sees: CredentialsSignin,
 * rate-limited:SECONDS (when to try again), unavailable.
 */
export function authOptions(platform: Platform): AuthOptions {
  const { config } = platform
  // next-auth has no option for its own address. Without this it believes that it is http://localhost:3000.
  process.env.NEXTAUTH_URL ??= config.publicUrl
  return {
    secret: config.readSecret('auth.secret'),
    session: { strategy: 'jwt', maxAge: sessionDays * 86_400 },
    pages: { signIn: '/sign-in', signOut: '/sign-in', error: '/sign-in' },
    cookies: cookies(platform),
    providers: [
      CredentialsProvider({
        credentials: { email: { type: 'email' }, password: { type: 'password' } },
        authorize: (credentials, request) => authorize(platform, credentials, new Headers(request.headers)),
      }),
    ],
    callbacks: {
      jwt({ token, user }) {
        if (user === undefined) return token
        return { sub: user.id, sessionId: (user as SignedIn).sessionId }
      },
      async session({ token, session }) {
        const viewer =
          typeof token.sessionId === 'string' ? await checkSession(platform, token.sessionId) : null
        if (viewer === null) return { expires: session.expires }
        const { name, email } = await getUser(platform, viewer)
        return { expires: session.expires, user: { name, email } }
      },
      // Kept to a path: people come by other names for this machine as well.
      redirect: ({ url, baseUrl }) =>
        baseUrl + safeNext(url.startsWith(baseUrl) ? url.slice(baseUrl.length) : url),
    },
    events: {
      async signOut({ token }) {
        if (typeof token?.sessionId === 'string') await endSession(platform, token.sessionId)
      },
    },
    logger: {
      error: (code, metadata) => platform.log.warn({ code, ...problemOf(metadata) }, 'sign-in failed'),
      warn: () => {},
      debug: () => {},
    },
  }
}

interface SignedIn {
  id: string
  sessionId: string
}

async function authorize(
  platform: Platform,
  credentials: Record<string, unknown> | undefined,
  headers: Headers,
): Promise<SignedIn | null> {
  try {
    const { userId, sessionId } = await signIn(platform, {
      email: String(credentials?.email ?? ''),
      password: String(credentials?.password ?? ''),
      address: clientAddress(headers),
      userAgent: headers.get('user-agent'),
    })
    return { id: userId, sessionId }
  } catch (error) {
    if (!(error instanceof PlatformError)) {
      platform.log.error({ err: error }, 'sign-in failed')
      throw new Error('unavailable')
    }
    if (error.code === 'rate-limited') throw new Error(`rate-limited:${error.retryAfterSeconds ?? 60}`)
    return null
  }
}

function cookies(platform: Platform): AuthOptions['cookies'] {
  const { config } = platform
  const secure = config.publicUrl.startsWith('https://')
  const options = { httpOnly: true, sameSite: 'lax', path: '/', secure } as const
  return {
    sessionToken: { name: cookieName(config, 'session'), options },
    csrfToken: { name: cookieName(config, 'csrf'), options },
    callbackUrl: { name: cookieName(config, 'callback'), options },
  }
}

function problemOf(metadata: unknown): { err?: unknown } {
  if (metadata instanceof Error) return { err: metadata }
  return metadata !== null && typeof metadata === 'object' && 'error' in metadata
    ? { err: metadata.error }
    : {}
}
