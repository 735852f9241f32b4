import type { AuthOptions } from 'next-auth'
import CredentialsProvider from 'next-auth/providers/credentials'
import type { OAuthConfig } from 'next-auth/providers/oauth'
import { endSession } from '../../platform/end-session.ts'
import { PlatformError, type ProblemCode } from '../../platform/errors.ts'
import type { Platform } from '../../platform/open.ts'
import { SecondStep, secondStepSeconds } from '../../platform/second-step.ts'
import { checkSession, type SignedIn, sessionDays, signIn, signInWithCode } from '../../platform/sessions.ts'
import {
  type Claims,
  enterWithIdentity,
  IdentityRefused,
  linkIdentity,
} from '../../platform/sign-in/identities.ts'
import type { OpenProvider } from '../../platform/sign-in/providers.ts'
import { getUser } from '../../platform/users.ts'
import { safeNext } from './safe-next.ts'
import { cookieName, sessionIdFrom, viewerFromCookie } from './session-cookie.ts'
import type { Exchange } from './sign-in-exchange.ts'

/** One provider as it is kept, and as next-auth knows it. */
export interface OAuth {
  provider: OpenProvider
  config: OAuthConfig<Claims>
}

/** As long as known-devices.ts keeps it. */
const deviceSeconds = 180 * 86_400

/**
 * Sign-in with e-mail and password (provider `credentials`), and with a code as its second step (`code`). The cookie's
 * token names a session of the platform, which every request asks for, so ending that session works at once. Errors that
 * the browser sees: CredentialsSignin, second-step, step-gone, rate-limited:SECONDS (when to try again), unavailable.
 * With `oauth`, somebody comes from, or is led to, that provider.
 */
export function authOptions(platform: Platform, exchange: Exchange, oauth: OAuth | null = null): AuthOptions {
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
      ...(oauth === null ? [] : [oauth.config]),
    ],
    callbacks: {
      /** True: whoever comes is `user` from here on. A path: where to go instead. */
      async signIn({ user, account, profile }) {
        if (oauth === null || account?.provider !== oauth.provider.id) return true
        return comeBack(platform, exchange, {
          provider: oauth.provider,
          claims: profile as unknown as Claims,
          user,
        })
      },
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

/** Somebody comes back from a provider: to sign in, or to link the identity to the account that he is signed in to. */
async function comeBack(
  platform: Platform,
  exchange: Exchange,
  { provider, claims, user }: { provider: OpenProvider; claims: Claims; user: object },
): Promise<string | true> {
  const ticket = exchange.cookie('link')
  const page = ticket === undefined ? '/sign-in' : '/account'
  try {
    if (ticket !== undefined) {
      exchange.setCookie('link', null)
      const viewer = await viewerFromCookie(platform, exchange.cookie('session'))
      const isLinked = await linkIdentity(platform, viewer, provider, { ticket, claims })
      return isLinked ? '/account?linked=done' : '/account?linked=expired'
    }
    const entered = await enterWithIdentity(platform, provider, claims, exchange.origin)
    Object.assign(user, await remember(platform, exchange, entered))
    return true
  } catch (error) {
    if (error instanceof SecondStep) {
      exchange.setCookie('step', error.ticket, secondStepSeconds)
      const next = exchange.cookie('callback')?.replace(platform.config.publicUrl, '')
      return `/sign-in?step=code&next=${encodeURIComponent(safeNext(next))}`
    }
    if (error instanceof IdentityRefused) return `${page}?error=${error.reason}`
    platform.log.error({ err: error, provider: provider.id }, 'sign-in by a provider failed')
    return `${page}?error=unavailable`
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
