/** Which ports of a host can be published: in the installation's range, and nobody's there. */
import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { askHost } from '../ask-host.ts'
import type { Config } from '../config.ts'
import { PlatformError } from '../errors.ts'
import { type HostPort, type PortProtocol, type PortRange, portName } from '../model/ports.ts'
import type { Platform } from '../open.ts'
import { portHolders, portTaken } from './claims.ts'

const answerLimitMs = 3_000
const askedAtOnce = 10
const mostRounds = 5

/** Throws `invalid` where the installation publishes no ports. */
export function requireRange({ publishedPorts }: Pick<Config, 'publishedPorts'>): PortRange {
  if (publishedPorts !== null) return publishedPorts
  throw bad('This installation publishes no ports for apps: its administrator sets BERTH_PORTS to have some.')
}

/** Throws `invalid` or `conflict` at `hostPort` for a port that is not for apps, or that somebody has. */
export async function requireUsable(platform: Platform, hostId: string, port: HostPort): Promise<void> {
  const { first, last } = requireRange(platform.config)
  if (port.hostPort < first || port.hostPort > last)
    throw bad(`must be ${first}–${last}, the ports that this installation has for apps`)
  if (ownPorts(platform.config).includes(port.hostPort))
    throw portTaken(portName(port), 'is used by Berth itself')
  const [taken] = await takenOnHost(platform, hostId, [port])
  if (taken !== undefined)
    throw portTaken(portName(port), 'is taken by a program that runs on the host, outside of Berth')
}

/** One of the range that nobody has. Throws `conflict` where there is none. */
export async function chooseFree(
  platform: Platform,
  hostId: string,
  protocol: PortProtocol,
): Promise<HostPort> {
  const { first, last } = requireRange(platform.config)
  const all = Array.from({ length: last - first + 1 }, (_, at) => first + at)
  const own = ownPorts(platform.config)
  const holders = await portHolders(
    platform.db,
    hostId,
    all.map((hostPort) => portName({ protocol, hostPort })),
  )
  const held = new Set(holders.map(({ port }) => port))
  const open = all
    .map((hostPort): HostPort => ({ protocol, hostPort }))
    .filter((port) => !held.has(portName(port)) && !own.includes(port.hostPort))
  for (let round = 0; round < mostRounds && open.length > 0; round++) {
    const asked = Array.from({ length: Math.min(askedAtOnce, open.length) }, () =>
      open.splice(randomInt(open.length), 1),
    ).flat()
    const taken = (await takenOnHost(platform, hostId, asked)).map(portName)
    const [free] = asked.filter((port) => !taken.includes(portName(port)))
    if (free !== undefined) return free
  }
  throw new PlatformError(
    'conflict',
    `No port of ${first}–${last} is free on the host: remove some of an app, or have the range made larger.`,
    { fields: [{ path: 'hostPort', message: `has no free one left in ${first}–${last}` }] },
  )
}

/** Those that a program of the host has. One that does not answer is asked again when it is deployed. */
async function takenOnHost(platform: Platform, hostId: string, ports: HostPort[]): Promise<HostPort[]> {
  const question = { about: 'taken-ports', ports } as const
  const said = await askHost(platform, hostId, question, { limitMs: answerLimitMs }).catch(() => [])
  const names = z.array(z.string()).parse(said)
  return ports.filter((port) => names.includes(portName(port)))
}

function ownPorts({ port, httpsPort, webPort }: Config): number[] {
  return [port, webPort, ...(httpsPort === null ? [] : [httpsPort])]
}

function bad(message: string): PlatformError {
  return new PlatformError('invalid', `hostPort ${message}`, { fields: [{ path: 'hostPort', message }] })
}
