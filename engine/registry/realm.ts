import { EngineError } from '../errors.ts'
import { isLoopback, namesForbidden } from './addresses.ts'

export interface RealmPolicy {
  origin: string
  /** The registry, for messages. */
  host: string
  allowLoopback: boolean
  /** Origins that the operator allows in plain HTTP. */
  tokenServers: string[]
  /** Whether a password or an identity goes there. */
  isSecret: boolean
}

/**
 * The token server that a registry names, if it may be one. Over TLS it may be anybody: that is how Docker Hub and
 * GitLab do it, and whoever answers for the registry's name could have asked for the password itself. In plain HTTP
 * anybody may listen, so it must be on the registry's own host, which is then spoken to in plain HTTP as well, or on
 * this machine next to a registry on this machine, or allowed by the operator. Throws invalid, or access-denied.
 */
export function checkRealm(realm: string, policy: RealmPolicy): URL {
  const registry = new URL(policy.origin)
  const url = URL.parse(realm)
  const isUrl = url !== null && ['https:', 'http:'].includes(url.protocol) && !url.username && !url.password
  if (!isUrl)
    throw new EngineError(
      'invalid',
      `${policy.host} names ${JSON.stringify(realm.slice(0, 200))} as its token server`,
    )
  if (policy.tokenServers.includes(url.origin)) return url
  if (namesForbidden(url, policy))
    throw new EngineError(
      'access-denied',
      `${policy.host} names ${url.host} as its token server, which is no address for one: refused`,
    )
  if (url.protocol === 'https:') return url
  const isNear =
    registry.protocol === 'http:' &&
    (url.hostname === registry.hostname || (isLoopback(url.hostname) && isLoopback(registry.hostname)))
  if (isNear || (registry.protocol === 'http:' && !policy.isSecret)) return url
  throw new EngineError(
    'access-denied',
    `${policy.host} sends its token requests over plain HTTP to ${url.host}: refused`,
  )
}
