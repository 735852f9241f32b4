import { createHash } from 'node:crypto'
import type { EdgeAccess } from '../../platform/model/edge-access.ts'
import type { DesiredRoute } from '../../platform/worker/desired-routes.ts'
import { certificateLines, certificatePath, type EdgeCertificates, noCertificates } from './certificates.ts'
import { countedOf } from './counted.ts'
import { check, redirectBackend, redirectOf, routeKey, strippedOf, transportOf, wholePath } from './routes.ts'
import type { EdgeSettings } from './settings.ts'
import { structureOf } from './structure.ts'

export interface EdgeServer {
  /** The container's id. */
  name: string
  address: string
  port: number
}

/** Everything that HAProxy should know, as one value: what is on disk and what is told to a running one. */
export interface EdgePlan {
  /** haproxy.cfg, servers included: a HAProxy that starts anew needs nothing else. */
  configuration: string
  /** Changes when, and only when, something changed that a running HAProxy learns by a reload alone. */
  structureId: string
  /** What a route is found by (routes.ts) → backend. */
  hosts: ReadonlyMap<string, string>
  /** The same → the origin that visitors are sent on to. */
  redirects: ReadonlyMap<string, string>
  /** The same → the prefix that the app does not see, or that there is none. */
  stripped: ReadonlyMap<string, string>
  /** The same → whether it is to be asked by HTTPS alone, and what browsers are told of that. */
  transport: ReadonlyMap<string, string>
  /** The same → what its requests are counted for (counted.ts). */
  counted: ReadonlyMap<string, string>
  /** Lines of the list of certificates. */
  certificates: readonly string[]
  /** By backend; every app has one, also when nothing of it runs. */
  servers: ReadonlyMap<string, readonly EdgeServer[]>
}

/** Backends that answer with a page, by the state of the app. */
const pageOf = {
  stopped: 'page-stopped',
  deploying: 'page-deploying',
  failed: 'page-failed',
} as const satisfies Record<Exclude<DesiredRoute['state'], 'running'>, string>

const namePattern = /^[a-z0-9][a-z0-9_.-]{0,62}$/
const addressPattern = /^\d{1,3}(\.\d{1,3}){3}$/

/**
 * Desired routes → configuration. The order of the routes makes no difference. Throws on a name or an address that
 * can't be one: whatever reached the database, nothing but names and numbers reaches the configuration.
 */
export function planEdge(
  settings: EdgeSettings,
  routes: readonly DesiredRoute[],
  { own, others }: Pick<EdgeCertificates, 'own' | 'others'> = noCertificates,
): EdgePlan {
  const hosts = new Map<string, string>()
  const servers = new Map<string, EdgeServer[]>()
  const redirects = new Map<string, string>()
  const stripped = new Map<string, string>()
  const accesses = new Map<string, EdgeAccess>()
  const transport = new Map<string, string>()
  const counted = new Map<string, string>()
  const keyed = routes.map((route) => ({ key: routeKey(route), route }))
  for (const { key, route } of keyed.sort((a, b) => compare(a.key, b.key))) {
    check('app', route.appId, namePattern)
    const target = redirectOf(route)
    transport.set(key, transportOf(route))
    stripped.set(key, strippedOf(route))
    counted.set(key, countedOf(route.appId, key))
    if (target !== null) redirects.set(key, target)
    const ofApp = route.state === 'running' ? route.appId : pageOf[route.state]
    hosts.set(key, target === null ? ofApp : redirectBackend)
    // An app with several names has one backend; the routes agree on its servers.
    if (route.access !== undefined) accesses.set(route.appId, route.access)
    servers.set(route.appId, route.servers.map(toServer).sort(byName))
  }
  const backends = [...servers.keys()].sort(compare)
  const structure = structureOf(settings, backends, {
    strippedPrefixes: [...new Set(stripped.values())].filter((prefix) => prefix !== wholePath).sort(compare),
    accesses,
    ownCertificate: own === null ? null : certificatePath(settings, own),
  })
  const structureId = createHash('sha256').update(structure.parts.join('\n')).digest('hex').slice(0, 16)
  return {
    configuration: structure.render(structureId, (backend) => (servers.get(backend) ?? []).map(serverLine)),
    structureId,
    ...{ hosts, redirects, stripped, transport, counted },
    certificates: certificateLines(settings, others),
    servers,
  }
}

/** Content of a map's file. */
export function mapFile(map: ReadonlyMap<string, string>): string {
  return [...map].map(([key, value]) => `${key} ${value}\n`).join('')
}

function toServer(server: DesiredRoute['servers'][number]): EdgeServer {
  check('container', server.containerId, namePattern)
  check('address', server.address, addressPattern)
  if (!Number.isInteger(server.port) || server.port < 1 || server.port > 65_535)
    throw new Error(`The edge can't send traffic to port ${server.port}.`)
  return { name: server.containerId, address: server.address, port: server.port }
}

function serverLine(server: EdgeServer): string {
  return `    server ${server.name} ${server.address}:${server.port}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function byName(a: EdgeServer, b: EdgeServer): number {
  return compare(a.name, b.name)
}
