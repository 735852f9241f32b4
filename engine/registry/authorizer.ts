/**
 * Who we are to a registry: answers challenges, keeps tokens by host, scope and credentials, renews them before they
 * end. Source: the distribution project's token authentication specification.
 */
import { createHash } from 'node:crypto'
import { EngineError } from '../errors.ts'
import type { RegistryCredentials } from '../images/images.ts'
import { readBody } from './body.ts'
import { parseChallenges } from './challenge.ts'
import { errorFromFetch, errorFromStatus } from './failures.ts'

const maxTokenBytes = 1 << 20
const tokenWithinMs = 30_000
/** A token without `expires_in` lives this long, and none is taken for shorter. */
const minimumTokenLifeMs = 60_000
/** Renewed so long before its end that a request under way still finds it valid. */
const renewBeforeMs = 15_000

interface CachedToken {
  header: string
  renewAtMs: number
}

export interface Authorizer {
  /** The header known so far, or null: the first request goes without one. */
  current(scope: string, credentials: RegistryCredentials | undefined): string | null
  /**
   * Answers a 401: the header to try again with. `rejected` is the one that was sent. Throws access-denied when there
   * is nothing more to try.
   */
  answer(
    challenge: string,
    rejected: string | null,
    scope: string,
    credentials: RegistryCredentials | undefined,
    signal?: AbortSignal,
  ): Promise<string>
}

/** @param origin scheme, host and port of the registry: basic credentials go there and to the realm it names over TLS. */
export function createAuthorizer(origin: string): Authorizer {
  const tokens = new Map<string, CachedToken>()
  const keyOf = (scope: string, credentials: RegistryCredentials | undefined) =>
    createHash('sha256')
      .update(JSON.stringify([scope, credentials ?? null]))
      .digest('hex')

  return {
    current(scope, credentials) {
      if (credentials?.kind === 'bearer') return `Bearer ${credentials.token}`
      const cached = tokens.get(keyOf(scope, credentials))
      return cached && cached.renewAtMs > Date.now() ? cached.header : null
    },

    async answer(challengeHeader, rejected, scope, credentials, signal) {
      if (credentials?.kind === 'bearer')
        throw new EngineError('access-denied', `${origin} does not accept the token it was given`)
      const challenges = parseChallenges(challengeHeader)
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
      if (bearer?.parameters.realm) {
        const { realm, service } = bearer.parameters
        const token = await fetchToken(realm, service, scope, basic(realm, credentials), signal)
        tokens.set(keyOf(scope, credentials), token)
        return token.header
      }
      const wantsBasic = challenges.some(({ scheme }) => scheme === 'basic')
      if (!wantsBasic || credentials === undefined)
        throw new EngineError('access-denied', `${origin} wants credentials for ${scope}, and none are set`)
      const header = basicHeader(credentials)
      if (rejected === header)
        throw new EngineError('access-denied', `${origin} does not accept these credentials`)
      tokens.set(keyOf(scope, credentials), { header, renewAtMs: Number.POSITIVE_INFINITY })
      return header
    },
  }

  /** A realm on plain HTTP elsewhere could be anybody who listens on the way: it gets no password. */
  function basic(realm: string, credentials: RegistryCredentials | undefined): string | null {
    if (credentials?.kind !== 'basic') return null
    const url = realmUrl(realm)
    const isOwn = url.hostname === new URL(origin).hostname
    if (url.protocol === 'https:' || isOwn || isLoopback(url.hostname)) return basicHeader(credentials)
    throw new EngineError(
      'access-denied',
      `${origin} sends its token requests over plain HTTP to ${url.host}: refused`,
    )
  }
}

/** Whether a host name can only be this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

function realmUrl(realm: string): URL {
  const url = URL.parse(realm)
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url
  throw new EngineError(
    'invalid',
    `the registry names ${JSON.stringify(realm.slice(0, 200))} as its token server`,
  )
}

function basicHeader(credentials: { username?: string; password?: string }): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
}

async function fetchToken(
  realm: string,
  service: string | undefined,
  scope: string,
  authorization: string | null,
  signal?: AbortSignal,
): Promise<CachedToken> {
  const url = realmUrl(realm)
  if (service) url.searchParams.set('service', service)
  url.searchParams.set('scope', scope)
  const limit = AbortSignal.timeout(tokenWithinMs)
  const response = await fetch(url, {
    headers: authorization ? { authorization } : {},
    redirect: 'error',
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw errorFromFetch(error, 'a token', url.host)
  })
  const text = (await readBody(response, maxTokenBytes, 'a token', signal)).toString('utf8')
  if (!response.ok) throw errorFromStatus(response.status, `token for ${scope}`, text)
  const body = readJson(text, url.host)
  const token = body.token ?? body.access_token
  if (typeof token !== 'string') throw new EngineError('invalid', `${url.host} answered without a token`)
  const lifeMs = typeof body.expires_in === 'number' ? body.expires_in * 1_000 : minimumTokenLifeMs
  return {
    header: `Bearer ${token}`,
    renewAtMs: Date.now() + Math.max(lifeMs, minimumTokenLifeMs) - renewBeforeMs,
  }
}

function readJson(text: string, host: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw new EngineError('invalid', `${host} answered a token request with something else than JSON`)
}
