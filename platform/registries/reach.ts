/** Where a registry elsewhere is asked, and where its word may send a login. */
import type { Platform } from '../open.ts'
import { readListedRegistries } from './listed.ts'
import { RegistryProblem } from './problem.ts'

export interface Reach {
  /** As people know it. */
  host: string
  origin: string
  ca: string | undefined
  /** The operator listed it: it may be in a private network, or this machine. */
  isListed: boolean
  tokenServers: string[]
}

/** Throws RegistryProblem where the operator's list can't be read. */
export function reachOf(platform: Platform, host: string): Reach {
  let listed: ReturnType<typeof readListedRegistries>
  try {
    listed = readListedRegistries(platform.config)
  } catch (cause) {
    platform.log.error({ err: cause }, 'registries.json can not be read')
    throw new RegistryProblem(
      'unavailable',
      "The list of registries (registries.json) can't be read. Berth's administrator finds the reason in its log.",
      { cause },
    )
  }
  const found = Object.hasOwn(listed, host) ? listed[host] : undefined
  const known = host === 'docker.io' ? 'registry-1.docker.io' : host
  const usual = `${isLoopback(URL.parse(`http://${host}`)?.hostname ?? '') ? 'http' : 'https'}://${known}`
  return {
    host,
    origin: (found?.url ?? usual).replace(/\/+$/, ''),
    ca: found?.ca,
    isListed: found !== undefined,
    tokenServers: (found?.tokenServers ?? []).map((url) => new URL(url).origin),
  }
}

/**
 * The token server that a registry names, if a password may go there: over TLS it may be anybody, since whoever answers
 * for the registry's name could have asked for the password itself; in plain HTTP only a neighbour of a registry in plain
 * HTTP, or what the operator listed. The same rule as for pulls. Throws RegistryProblem.
 */
export function checkRealm(realm: string, { host, origin, tokenServers }: Reach): URL {
  const url = URL.parse(realm)
  const registry = new URL(origin)
  if (url === null || !['https:', 'http:'].includes(url.protocol) || url.username || url.password)
    throw new RegistryProblem('invalid', `${host} names no address as its token server.`)
  if (url.protocol === 'https:' || tokenServers.includes(url.origin)) return url
  const isNear =
    registry.protocol === 'http:' &&
    (url.hostname === registry.hostname || (isLoopback(url.hostname) && isLoopback(registry.hostname)))
  if (isNear) return url
  throw new RegistryProblem(
    'invalid',
    `${host} sends its token requests over plain HTTP to ${url.host}: refused.`,
  )
}

function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}
