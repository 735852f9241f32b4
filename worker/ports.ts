/** Ports of this host that lead to apps, beside the edge, which has HTTP: the engine forwards them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Engine, isEngineError } from '../engine/index.ts'
import type { Logger } from '../platform/log.ts'
import { type HostPort, hostPortOf, portInWords, portName } from '../platform/model/ports.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import type { DesiredPort } from '../platform/worker/desired-ports.ts'
import type { Edge } from './edge/edge.ts'
import { DeployFailure } from './failure.ts'
import type { Host } from './host.ts'

export interface Ports {
  /** Reads where ports should lead and makes it true; when it returns, new connections go there. */
  sync(): Promise<void>
  /** Why ports of this name lead nowhere, though they should; null: they do. */
  refusalOf(name: string): string | null
  /** Resolves with true when no connection by a port is open to these containers, with false after `limitMs`. */
  drained(containerIds: string[], options: { limitMs: number; signal?: AbortSignal }): Promise<boolean>
}

type Networks = Engine['networks']

const lookEveryMs = 100

export function createPorts({
  networks,
  readPorts,
  report,
  log,
}: {
  networks: Pick<Networks, 'forward' | 'forwardedConnections'>
  readPorts: () => Promise<DesiredPort[]>
  /** Told of all that are refused, when these are others than before. */
  report: (refused: Record<string, string>) => Promise<void>
  log: Logger
}): Ports {
  let last: Promise<unknown> = Promise.resolve()
  let waiting: Promise<void> | null = null
  let refusals = new Map<string, string>()
  let reported: Record<string, string> | null = null

  async function syncNow(): Promise<void> {
    const wanted = await readPorts()
    const refused = await networks.forward(
      wanted.map(({ protocol, hostPort, targets, sources }) => ({ protocol, hostPort, targets, sources })),
    )
    const now = new Map(refused.map((each) => [portName(each), each.message]))
    for (const [name, reason] of now)
      if (refusals.get(name) !== reason) log.warn({ port: name, reason }, 'a port of an app leads nowhere')
    refusals = now
    const said = Object.fromEntries(now)
    if (isDeepStrictEqual(said, reported)) return
    await report(said)
    reported = said
  }

  return {
    // Whoever calls while another waits its turn shares that one.
    sync() {
      if (waiting !== null) return waiting
      const next = last.then(() => {
        waiting = null
        return syncNow()
      })
      last = next.catch(() => undefined)
      waiting = next
      return next
    },
    refusalOf: (name) => refusals.get(name) ?? null,
    async drained(containerIds, { limitMs, signal }) {
      for (const end = Date.now() + limitMs; ; ) {
        if ((await networks.forwardedConnections(containerIds)) === 0) return true
        if (Date.now() >= end) return false
        await sleep(Math.min(lookEveryMs, limitMs), undefined, { signal })
      }
    },
  }
}

/** What comes from outside, by HTTP or by a port of its own, as one: it moves together and drains together. */
export function withPorts(edge: Edge, ports: Ports): Edge {
  return {
    async sync() {
      const [routed, led] = await Promise.allSettled([edge.sync(), ports.sync()])
      for (const each of [routed, led]) if (each.status === 'rejected') throw each.reason
    },
    async drained(containerIds, options) {
      const all = await Promise.all([
        edge.drained(containerIds, options),
        ports.drained(containerIds, options),
      ])
      return all.every(Boolean)
    },
    openRequests: () => edge.openRequests(),
  }
}

/** Those of these that a program of the host or another engine has, by name. */
export async function takenPorts({ engine }: Pick<Host, 'engine'>, ports: HostPort[]): Promise<string[]> {
  const taken: string[] = []
  for (const port of ports)
    await engine.networks.checkFree(port).catch((error) => {
      if (!isEngineError(error, 'already-exists')) throw error
      taken.push(portName(port))
    })
  return taken
}

/** Before anything of a deployment starts: somebody may have come to have a port since it was given to the app. */
export async function requirePorts({ engine }: Host, { settings }: DeploymentWork): Promise<void> {
  for (const name of Object.keys(settings.ports))
    await engine.networks.checkFree(hostPortOf(name)).catch((error) => {
      throw isEngineError(error, 'already-exists') ? portFailure(name, error.message, error) : error
    })
}

/** Once traffic was switched. */
export function requireLed({ ports }: Host, { settings }: DeploymentWork): void {
  for (const name of Object.keys(settings.ports)) {
    const reason = ports.refusalOf(name)
    if (reason !== null) throw portFailure(name, reason)
  }
}

function portFailure(name: string, reason: string, cause?: unknown): DeployFailure {
  const port = portInWords(hostPortOf(name))
  return new DeployFailure(
    'port-taken',
    `Port ${port} of the host, which the app is to have, is somebody else's: ${reason}. Free it and deploy again, or give the app another port`,
    { cause, facts: { port, reason } },
  )
}
