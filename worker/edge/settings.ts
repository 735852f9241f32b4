import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { abstractSocketName } from '../../platform/abstract-socket.ts'
import type { Config } from '../../platform/config.ts'

/** What the edge needs to know besides the routes. */
export interface EdgeSettings {
  /** Public port. */
  port: number
  /** Public port for HTTPS; null: there is none. */
  httpsPort: number | null
  /** Name under which the dashboard, the API and the registry are reached. */
  dashboardHost: string
  /** Whoever asks for its pages by that name and HTTP is sent on to HTTPS. */
  dashboardToHttps: boolean
  webPort: number
  /** Where the registry listens: a name in the abstract namespace. */
  registrySocket: string
  /** Where the web app gives tokens for it: another such name. */
  registryTokenSocket: string
  /** Where the worker takes pushes: a name in the abstract namespace. */
  gitSocket: string
  /** Folder of haproxy.cfg, the map of hosts and the pages. */
  folder: string
  /** Socket of HAProxy's master process, which the supervisor chose with `-S`. */
  masterSocket: string
  /** Socket over which a new HAProxy process takes over the listening ones of the old. */
  statsSocket: string
  maxConnections: number
  /** Whether HAProxy starts as root and has to become nobody. */
  dropPrivileges: boolean
  /** How long an app may take until it begins to answer, and may pause within an answer. */
  answerTimeoutMs: number
}

export function edgeSettings(config: Config): EdgeSettings {
  return {
    port: config.port,
    httpsPort: config.httpsPort,
    dashboardHost: new URL(config.publicUrl).hostname,
    dashboardToHttps: config.publicUrl.startsWith('https:'),
    webPort: config.webPort,
    registrySocket: config.registrySocket,
    registryTokenSocket: config.registryTokenSocket,
    gitSocket: gitSocketName(config),
    folder: join(config.home, 'edge'),
    masterSocket: join(config.home, 'run/edge-master.sock'),
    statsSocket: join(config.home, 'run/edge.sock'),
    maxConnections: maxConnections(readFileSync('/proc/self/limits', 'utf8')),
    dropPrivileges: process.getuid?.() === 0,
    answerTimeoutMs: 600_000,
  }
}

/** Where the worker takes pushes. */
export function gitSocketName({ home }: Pick<Config, 'home'>): string {
  return abstractSocketName('git', home)
}

/**
 * A connection takes two descriptors, and HAProxy refuses to start when it may not have as many as it is told to
 * serve. `limits` is /proc/self/limits: the supervisor starts HAProxy with the same ones.
 */
export function maxConnections(limits: string): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1]
  const descriptors = hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
  return Math.max(100, Math.min(4_000, Math.floor((descriptors - 200) / 2.2)))
}
