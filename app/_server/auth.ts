import type { AuthOptions } from 'next-auth'
import CredentialsProvider from 'next-auth/providers/credentials'
import { PlatformError, type ProblemCode } from '../../platform/errors.ts'
import type { Platform } from '../../platform/open.ts'
import { SecondStep, secondStepSeconds } from '../../platform/second-step.ts'
import {
  checkSession,
  endSession,
  type SignedIn,
  sessionDays,
  signIn,
  signInWithCode,
} from '../../platform/sessions.ts'
import { getUser } from '../../platform/users.ts'
import { safeNext } from './safe-next.ts'
import { cookieName, sessionIdFrom } from './session-cookie.ts'
import type { Exchange } from './sign-in-exchange.ts'

/** As long as known-devices.ts keeps it. */
const deviceSeconds = 180 * 86_400

/**
 * Sign-in with e-mail and password (provider `credentials`), and with a code as its second step (`code`). The cookie's
 * token names a session of the platform, which every request asks for, so ending that session works at once. Errors that
 * the browser sees: CredentialsSignin, second-step, step-gone, rate-limited:SECONDS (when to try again), unavailable.
 */
export function authOptions(platform: Platform, exchange: Exchange): AuthOptions {
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
        authorize: (credentials) =>
          attempt(platform, exchange, () =>
            signIn(platform, {
              email: String(credentials?.email ?? ''),
              password: String(credentials?.password ?? ''),
              ...exchange.origin,
            }),
          ),
      }),
      CredentialsProvider({
        id: 'code',
        credentials: { code: { type: 'text' } },
        authorize: (credentials) =>
          attempt(platform, exchange, () =>
            signInWithCode(platform, {
              ticket: exchange.cookie('step') ?? '',
              code: String(credentials?.code ?? '').slice(0, 64),
              ...exchange.origin,
            }),
          ),
      }),
    ],
    callbacks: {
      jwt({ token, user }) {
        if (user === undefined) return token
        return { sub: user.id, sessionId: (user as NextAuthUser).sessionId }
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

interface NextAuthUser {
  id: string
  sessionId: string
}

/** Null, or an error whose message the browser sees, where it fails. */
async function attempt(
  platform: Platform,
  exchange: Exchange,
  enter: () => Promise<SignedIn>,
): Promise<NextAuthUser | null> {
  try {
    return await remember(platform, exchange, await enter())
  } catch (error) {
    if (!(error instanceof PlatformError)) {
      platform.log.error({ err: error }, 'sign-in failed')
      throw new Error('unavailable')
    }
    if (error instanceof SecondStep) exchange.setCookie('step', error.ticket, secondStepSeconds)
    const word = words[error.code]
    if (word === undefined) return null
    throw new Error(error.code === 'rate-limited' ? `${word}:${error.retryAfterSeconds ?? 60}` : word)
  }
}

const words: Partial<Record<ProblemCode, string>> = {
  'second-factor-needed': 'second-step',
  gone: 'step-gone',
  'rate-limited': 'rate-limited',
  unavailable: 'unavailable',
}

/** The browser is known from now on, and whoever was signed in with it before is not any more. */
async function remember(platform: Platform, exchange: Exchange, entered: SignedIn): Promise<NextAuthUser> {
  const { userId, sessionId, device } = entered
  exchange.setCookie('device', device, deviceSeconds)
  if (exchange.cookie('step') !== undefined) exchange.setCookie('step', null)
  const before = await sessionIdFrom(platform, exchange.cookie('session'))
  if (before !== null) await endSession(platform, before)
  return { id: userId, sessionId }
}

function cookies(platform: Platform): AuthOptions['cookies'] {
  const { config } = platform
  const secure = config.publicUrl.startsWith('https://')
  const options = { httpOnly: true, sameSite: 'lax', path: '/', secure } as const
  return {
    sessionToken: { name: cookieName(config, 'session'), options },
    csrfToken: { name: cookieName(config, 'csrf'), options },
    callbackUrl: { name: cookieName(config, 'callback'), options },
    state: { name: cookieName(config, 'state'), options: { ...options, maxAge: 900 } },
    pkceCodeVerifier: { name: cookieName(config, 'pkce'), options: { ...options, maxAge: 900 } },
    nonce: { name: cookieName(config, 'nonce'), options: { ...options, maxAge: 900 } },
  }
}

function problemOf(metadata: unknown): { err?: unknown } {
  if (metadata instanceof Error) return { err: metadata }
  return metadata !== null && typeof metadata === 'object' && 'error' in metadata
    ? { err: metadata.error }
    : {}
}
