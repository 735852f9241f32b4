/** Where a registry is reached: itself, and mirrors of it. */
import { EngineError } from '../errors.ts'
import { isLoopback } from './addresses.ts'
import { type Authorizer, createAuthorizer } from './authorizer.ts'
import { type Connections, createConnections, type ProxySettings } from './http.ts'
import type { Limits } from './limits.ts'
import type { RegistryCredentials } from './registry.ts'

/** How one registry is reached; the key is its host as references write it. */
export interface RegistrySettings {
  /**
   * Such as http://127.0.0.1:5000; default is https and the host, and plain http for loopback hosts. Naming an http
   * address allows plain HTTP there.
   */
  url?: string
  /**
   * Unix socket at which `url` is spoken to, in place of its host and port; a zero in front of the name stands for the
   * abstract namespace. Redirects and token servers elsewhere are reached as ever.
   */
  socketPath?: string
  /** Tried before the registry itself, in this order, for whatever is fetched; never for what is pushed. */
  mirrors?: MirrorSettings[]
  /** PEM certificates that sign the registry's own, besides those the host trusts. */
  ca?: string
  /** Origins (http://tokens.internal:8080) of token servers that may be spoken to in plain HTTP. */
  tokenServers?: string[]
}

export interface MirrorSettings {
  /** A path is put in front of the repository: https://cache.example/hub has library/nginx at hub/library/nginx. */
  url: string
  /** The mirror's own. The registry's are never sent there. */
  credentials?: RegistryCredentials
  ca?: string
  tokenServers?: string[]
}

export interface Endpoint {
  isMirror: boolean
  /** Scheme, host and port. */
  origin: string
  /** For messages: as references write it, wherever it is reached; a mirror's own host. */
  host: string
  /** In front of every repository, with a slash at its end, or empty. */
  prefix: string
  /** Added to each address: which registry a mirror is asked about. */
  query: string
  /** Instead of what a caller gives. */
  ownCredentials: RegistryCredentials | null
  allowLoopback: boolean
  connections: Connections
  authorizer: Authorizer
  /** Not asked again before this: it could not be reached. */
  downUntilMs: number
}

interface Options {
  url: string
  /** Instead of the address's. */
  host?: string
  socketPath?: string
  ca?: string
  tokenServers?: string[]
  proxy?: ProxySettings
  limits: Limits
}

/** Mirrors first. Throws invalid for an address that is none. */
export function openEndpoints(
  registry: string,
  settings: RegistrySettings,
  proxy: ProxySettings | undefined,
  limits: Limits,
): Endpoint[] {
  const { socketPath, ca, tokenServers, mirrors = [] } = settings
  const url = settings.url ?? defaultUrl(registry)
  const own = open({ url, host: registry, socketPath, ca, tokenServers, proxy, limits })
  return [
    ...mirrors.map((mirror) => ({
      ...open({ ...mirror, proxy, limits }),
      isMirror: true,
      query: `ns=${encodeURIComponent(registry)}`,
      ownCredentials: mirror.credentials ?? null,
    })),
    { ...own, isMirror: false, query: '', ownCredentials: null },
  ]
}

function open({ url: text, host: known, socketPath, ca, tokenServers = [], proxy, limits }: Options) {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new EngineError('invalid', `${JSON.stringify(text)} is not the address of a registry`)
  if (url.username || url.password)
    throw new EngineError('invalid', `${url.host}: credentials do not belong into a registry's address`)
  // Whoever names an address of this machine wants to go there.
  const allowLoopback = isLoopback(url.hostname)
  const connections = createConnections({
    ...{ ca, proxy, allowLoopback },
    ...(socketPath === undefined ? {} : { socket: { origin: url.origin, path: socketPath } }),
  })
  const host = known ?? url.host
  const path = url.pathname.replace(/^\/+|\/+$/g, '')
  return {
    origin: url.origin,
    host,
    prefix: path === '' ? '' : `${path}/`,
    allowLoopback,
    connections,
    authorizer: createAuthorizer({
      origin: url.origin,
      host,
      allowLoopback,
      tokenServers,
      connections,
      limits,
    }),
    downUntilMs: 0,
  }
}

/** Who answers at an address, for messages: the endpoint itself, or whom it redirected us to. */
export function hostAt({ origin, host }: Pick<Endpoint, 'origin' | 'host'>, url: URL): string {
  return url.origin === origin ? host : url.host
}

function defaultUrl(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io'
  return `${isLoopback(registry.replace(/:\d+$/, '')) ? 'http' : 'https'}://${registry}`
}
