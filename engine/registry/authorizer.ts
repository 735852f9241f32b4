/**
 * Who we are to a registry: answers challenges, keeps tokens by host, scope and credentials, renews them before they
 * end. Source: the distribution project's token authentication specification (docs/spec/auth: token, scope, oauth).
 */
import { createHash } from 'node:crypto'
import { EngineError } from '../errors.ts'
import { basicHeader } from './basic.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Connections } from './http.ts'
import type { Limits } from './limits.ts'
import { checkRealm } from './realm.ts'
import type { RegistryCredentials } from './registry.ts'
import { fetchToken, type Token } from './token.ts'

/** Renewed so long before its end that a request under way still finds it valid; short-lived ones at three quarters. */
const renewBeforeMs = 15_000
const maxTokens = 1_000
const maxScopeLength = 2_048

export interface Authorizer {
  /** The header for these scopes as far as it is known, renewed if it is about to end; null before the first challenge. */
  current(scopes: string[], credentials: RegistryCredentials | undefined): Promise<string | null>
  /**
   * Answers a 401 or 403: the header to try again with, or null when the answer is a plain no. `rejected` is what was
   * sent. Throws access-denied with the reason when there is nothing to try.
   */
  answer(
    refusal: Refusal,
    scopes: string[],
    credentials: RegistryCredentials | undefined,
  ): Promise<string | null>
}

export interface Refusal {
  status: number
  challenges: string
  rejected: string | null
}

export interface AuthorizerOptions {
  /** Scheme, host and port of the registry. */
  origin: string
  /** The registry, for messages. */
  host: string
  allowLoopback: boolean
  tokenServers: string[]
  connections: Connections
  limits: Limits
}

interface Known {
  header: string
  renewAtMs: number
  /** How to get the next one. */
  renew?: () => Promise<Known>
}

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { host } = options
  /** By scopes and credentials, oldest first. */
  const known = new Map<string, Known>()
  const fetching = new Map<string, Promise<Known>>()

  /** Requests that find the same token missing at once wait for one answer. */
  function keep(key: string, get: () => Promise<Known>): Promise<Known> {
    const running = fetching.get(key)
    if (running) return running
    const getting = get()
      .then((found) => {
        known.delete(key)
        known.set(key, found)
        const [oldest] = known.keys()
        if (known.size > maxTokens && oldest !== undefined) known.delete(oldest)
        return found
      })
      .finally(() => fetching.delete(key))
    fetching.set(key, getting)
    return getting
  }

  async function fromTokenServer(
    challenge: Challenge,
    scopes: string[],
    credentials: Exclude<RegistryCredentials, { kind: 'bearer' }> | undefined,
  ): Promise<Known> {
    const realm = checkRealm(challenge.parameters.realm ?? '', {
      ...options,
      isSecret: credentials !== undefined,
    })
    const token = await fetchToken({
      ...options,
      realm,
      service: challenge.parameters.service,
      scopes,
      credentials,
    })
    // A token server may hand out the next identity with each token.
    const next =
      credentials?.kind === 'identity' && token.identity
        ? { ...credentials, token: token.identity }
        : credentials
    return {
      header: `Bearer ${token.value}`,
      renewAtMs: renewalTime(token),
      renew: () => fromTokenServer(challenge, scopes, next),
    }
  }

  return {
    async current(scopes, credentials) {
      if (credentials?.kind === 'bearer') return `Bearer ${credentials.token}`
      const key = keyOf(scopes, credentials)
      const found = known.get(key)
      if (!found || found.renewAtMs > Date.now()) return found?.header ?? null
      if (!found.renew) return null
      // If it can't be renewed, the registry's own challenge gets to the bottom of it.
      return keep(key, found.renew).then(
        ({ header }) => header,
        () => null,
      )
    },

    async answer({ status, challenges, rejected }, scopes, credentials) {
      const parsed = parseChallenges(challenges)
      const bearer = parsed.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm)
      const wantsMore = bearer?.parameters.error === 'insufficient_scope'
      if (status === 403 && !wantsMore) return null
      if (credentials?.kind === 'bearer')
        throw new EngineError('access-denied', `${host} does not accept the token it was given`)
      const key = keyOf(scopes, credentials)
      const newer = known.get(key)
      if (rejected !== null && newer && newer.header !== rejected && !wantsMore) return newer.header
      if (bearer) {
        const named = wantsMore ? scopesOf(bearer.parameters.scope ?? '') : []
        const all = [...new Set([...scopes, ...named])]
        const renew = newer?.header === rejected && !wantsMore ? newer.renew : undefined
        return (await keep(key, renew ?? (() => fromTokenServer(bearer, all, credentials)))).header
      }
      const wantsBasic = parsed.some(({ scheme }) => scheme === 'basic')
      if (!wantsBasic || credentials?.kind !== 'basic')
        throw new EngineError('access-denied', sentence(host, scopes, credentials, wantsBasic))
      const header = basicHeader(credentials)
      if (rejected === header)
        throw new EngineError('access-denied', `${host} does not accept these credentials`)
      known.set(key, { header, renewAtMs: Number.POSITIVE_INFINITY })
      return header
    },
  }
}

function sentence(
  host: string,
  scopes: string[],
  credentials: RegistryCredentials | undefined,
  wantsBasic: boolean,
): string {
  if (credentials === undefined) return `${host} wants credentials for ${scopes.join(' ')}, and none are set`
  return wantsBasic
    ? `${host} wants a user name and a password, not an identity token`
    : `${host} refuses ${scopes.join(' ')} and does not say what it wants`
}

/** By our own clock from now on: the registry's `issued_at` is by another one. */
function renewalTime({ lifeMs }: Token): number {
  return Date.now() + lifeMs - Math.min(renewBeforeMs, lifeMs / 4)
}

function scopesOf(text: string): string[] {
  return text.length > maxScopeLength ? [] : text.split(' ').filter((scope) => scope !== '')
}

/** Not the credentials themselves, which are then in one place less. */
function keyOf(scopes: string[], credentials: RegistryCredentials | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([[...scopes].sort(), credentials ?? null]))
    .digest('hex')
}
