/** Bridges of the networks: raised when first needed, in an address range that is free on this host. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import type { Spawner } from '../sys/spawner.ts'
import { withHostLock } from './host-lock.ts'
import { bridgeBatch } from './links.ts'
import type { Egress, Network } from './networks.ts'
import { addressIn, freeSubnet, parseRange, type Range } from './subnets.ts'

export interface Bridges {
  find(name: string): Network | null
  list(): Network[]
  /** Records a network that is not there, or changes what may leave it. */
  record(name: string, egress: Egress): void
  /** Makes the bridge of a recorded network if it is missing; says whether it was. One at a time for a name, please. */
  raise(name: string): Promise<{ network: Network; wasMissing: boolean }>
  isUp(bridge: string): boolean
  /** Takes the bridge down; the record stays. */
  lower(bridge: string): Promise<void>
  forget(name: string): void
  /** Forgets networks that were recorded and never raised. */
  forgetUnraised(): void
  /** Names of this engine's links on the host: bridges or containers' ends. */
  linksOnHost(kind: 'bridge' | 'container'): string[]
}

export interface BridgeOptions {
  state: State
  spawner: Spawner
  pool: string
  bridgePrefix: string
  linkPrefix: string
}

interface Route {
  dst: string
  dev?: string
  metric?: number
}

const usualMtu = 1500

export function createBridges({ state, spawner, pool, bridgePrefix, linkPrefix }: BridgeOptions): Bridges {
  function networkOf(row: Record<string, unknown>): Network {
    const subnet = String(row.subnet)
    const bridge = `${bridgePrefix}${Number(row.seq).toString(36)}`
    const egress = JSON.parse(String(row.egress)) as Egress
    return { name: String(row.name), bridge, subnet, gateway: addressIn(subnet, 1), egress }
  }

  const isUp = (bridge: string) => existsSync(`/sys/class/net/${bridge}`)
  const list = () =>
    state.db.prepare('SELECT * FROM networks WHERE subnet IS NOT NULL ORDER BY name').all().map(networkOf)

  function find(name: string): Network | null {
    const row = state.db.prepare('SELECT * FROM networks WHERE name = ? AND subnet IS NOT NULL').get(name)
    return row ? networkOf(row) : null
  }

  async function routes(): Promise<Route[]> {
    return JSON.parse(
      await spawner.mustRun(['ip', '-4', '-json', 'route', 'show', 'table', 'all']),
    ) as Route[]
  }

  /** Keeps the network's range if nobody has taken it since, and finds another otherwise. */
  function chooseSubnet(name: string, all: Route[]): void {
    // What the host routes anywhere but to the default: taken, whoever did it.
    const routed = all.filter(({ dst }) => dst !== 'default').map(({ dst }) => parseRange(dst))
    const known = find(name)
    const own = known && parseRange(known.subnet)
    if (own && !routed.some((range) => overlap(range, own))) return
    const others = list()
      .filter((network) => network.name !== name)
      .map(({ subnet }) => parseRange(subnet))
    const subnet = freeSubnet(pool, [...routed, ...others])
    if (subnet === null)
      throw new EngineError(
        'limit-exceeded',
        `no address range is left for network ${name}: all of ${pool} is taken by other networks or by the host's own routes. Remove networks, or give the engine a larger pool`,
      )
    state.db.prepare('UPDATE networks SET subnet = ? WHERE name = ?').run(subnet, name)
  }

  /** Of the interface that leads to the world: a larger one would lose packets on the way. */
  function hostMtu(all: Route[]): number {
    const [route] = all
      .filter(({ dst, dev }) => dst === 'default' && dev !== undefined)
      .sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0))
    try {
      return Number(readFileSync(`/sys/class/net/${route?.dev}/mtu`, 'utf8')) || usualMtu
    } catch {
      return usualMtu
    }
  }

  async function lower(bridge: string): Promise<void> {
    if (isUp(bridge)) await spawner.run(['ip', 'link', 'delete', bridge])
  }

  return {
    find,
    list,
    isUp,
    lower,
    record(name, egress) {
      state.db
        .prepare(
          `INSERT INTO networks (name, egress) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET egress = excluded.egress`,
        )
        .run(name, JSON.stringify(egress))
    },
    async raise(name) {
      const known = find(name)
      if (known && isUp(known.bridge)) return { network: known, wasMissing: false }
      return withHostLock(async () => {
        const all = await routes()
        chooseSubnet(name, all)
        const network = find(name)
        if (!network) throw new EngineError('not-found', `there is no network ${name}`)
        const { bridge, gateway } = network
        try {
          await spawner.mustRun(['ip', '-batch', '-'], { input: bridgeBatch(bridge, gateway, hostMtu(all)) })
          if (existsSync('/proc/sys/net/ipv6'))
            writeFileSync(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, '1')
          writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
          await spawner.mustRun(['ip', 'link', 'set', 'dev', bridge, 'up'])
        } catch (error) {
          await lower(bridge)
          throw error
        }
        return { network, wasMissing: true }
      })
    },
    forget(name) {
      state.db.prepare('DELETE FROM networks WHERE name = ?').run(name)
    },
    forgetUnraised() {
      state.db.exec('DELETE FROM networks WHERE subnet IS NULL')
    },
    linksOnHost: (kind) =>
      readdirSync('/sys/class/net').filter((link) =>
        link.startsWith(kind === 'bridge' ? bridgePrefix : linkPrefix),
      ),
  }
}

const overlap = (a: Range, b: Range) => a.first <= b.last && b.first <= a.last
