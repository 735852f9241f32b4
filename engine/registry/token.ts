/** One token from a token server. Source: distribution docs/spec/auth/token and oauth. */
import { EngineError } from '../errors.ts'
import { basicHeader } from './basic.ts'
import { readBody } from './body.ts'
import { errorFromStatus } from './failures.ts'
import { type Connections, send } from './http.ts'
import type { Limits } from './limits.ts'
import type { RegistryCredentials } from './registry.ts'

const maxTokenBytes = 1 << 20
/** A token without `expires_in` lives this long. */
const defaultLifeMs = 60_000

export interface TokenRequest {
  realm: URL
  service: string | undefined
  scopes: string[]
  credentials: Exclude<RegistryCredentials, { kind: 'bearer' }> | undefined
  connections: Connections
  limits: Limits
}

export interface Token {
  value: string
  lifeMs: number
  /** The identity to come back with, where the server gave another one. */
  identity: string | null
}

/**
 * Asks by GET with a name and a password or with nothing, by POST with an identity token. Redirects are not followed:
 * what is asked with is for this server. Throws access-denied, rate-limited, unavailable, and invalid for an answer
 * that holds no token.
 */
export async function fetchToken(request: TokenRequest): Promise<Token> {
  const { realm, scopes, credentials, connections, limits } = request
  const what = `a token for ${scopes.join(' ')}`
  const answer = await send(
    connections,
    {
      ...(credentials?.kind === 'identity' ? byPost(request, credentials.token) : byGet(request)),
      what,
      host: realm.host,
    },
    limits,
  )
  const text = (await readBody(answer, maxTokenBytes, what, realm.host, limits)).toString('utf8')
  const status = answer.statusCode ?? 0
  if (status >= 300 && status < 400)
    throw new EngineError('invalid', `${realm.host} redirects the request for ${what}: refused`)
  if (status < 200 || status > 299) throw errorFromStatus(status, answer.headers, what, realm.host, text)
  return readToken(text, realm.host)
}

function byGet({ realm, service, scopes, credentials }: TokenRequest) {
  const url = new URL(realm)
  if (service) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const headers: Record<string, string> = {}
  if (credentials?.kind === 'basic') {
    url.searchParams.set('account', credentials.username)
    headers.authorization = basicHeader(credentials)
  }
  return { method: 'GET' as const, url, headers }
}

function byPost({ realm, service, scopes }: TokenRequest, identity: string) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service: service ?? '',
    client_id: 'berth',
    scope: scopes.join(' '),
    refresh_token: identity,
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST' as const, url: realm, headers, body: Buffer.from(form.toString()) }
}

function readToken(text: string, host: string): Token {
  const body = readJson(text)
  if (body === null)
    throw new EngineError('invalid', `${host} answered a token request with something else than JSON`)
  const value = body.token || body.access_token
  // What could not be a header would only fail later, in other words.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new EngineError('invalid', `${host} answered without a token`)
  const { expires_in: life, refresh_token: identity } = body
  return {
    value,
    lifeMs: typeof life === 'number' && life > 0 ? life * 1_000 : defaultLifeMs,
    identity: typeof identity === 'string' && identity !== '' ? identity : null,
  }
}

function readJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
