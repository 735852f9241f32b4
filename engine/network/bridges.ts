/** Bridges of the networks: raised when first needed, in an address range that is free on this host. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import type { Spawner } from '../sys/spawner.ts'
import { dockerUser } from './docker-user.ts'
import { firewallChange, firewallRules } from './firewall.ts'
import { withHostLock } from './host-lock.ts'
import { bridgeBatch } from './links.ts'
import type { Network } from './networks.ts'
import { addressIn, freeSubnet, parseRange, type Range } from './subnets.ts'

export interface BridgeOptions {
  state: State
  spawner: Spawner
  /** Six hexadecimal digits that tell this engine from others on the host. */
  instance: string
  pool: string
  allowedHostPorts: number[]
}

export interface Bridges {
  find(name: string): Network | null
  list(): Network[]
  /** Makes the row and the bridge, or what is missing of them. One at a time for a name, please. */
  raise(name: string): Promise<Network>
  /** Takes the bridge down; the row stays. */
  lower(bridge: string): Promise<void>
  /** Takes it out of the firewall and the table; the firewall goes with the last one. */
  forget(name: string): Promise<void>
  /** Names of this engine's links on the host: bridges or containers' ends. */
  linksOnHost(kind: 'bridge' | 'container'): string[]
  openFirewall(): Promise<void>
  /** Others flush the host's rules, as a restart of nftables.service does. False if it had to be made again. */
  keepFirewall(): Promise<boolean>
  /** Has Docker, where it is on the host, let through what our firewall does. */
  passDocker(): Promise<void>
}

export function createBridges({ state, spawner, instance, pool, allowedHostPorts }: BridgeOptions): Bridges {
  const table = `berth_${instance}`
  const bridgePrefix = `bth${instance}-`
  const linkPrefix = `bv${instance}-`

  const docker = dockerUser(spawner, bridgePrefix)

  function networkOf(row: Record<string, unknown>): Network {
    const subnet = String(row.subnet)
    const bridge = `${bridgePrefix}${Number(row.seq).toString(36)}`
    return { name: String(row.name), bridge, subnet, gateway: addressIn(subnet, 1) }
  }

  const exists = (bridge: string) => existsSync(`/sys/class/net/${bridge}`)
  const list = () =>
    state.db.prepare('SELECT * FROM networks WHERE subnet IS NOT NULL ORDER BY name').all().map(networkOf)

  function find(name: string): Network | null {
    const row = state.db.prepare('SELECT * FROM networks WHERE name = ? AND subnet IS NOT NULL').get(name)
    return row ? networkOf(row) : null
  }

  /** What the host routes anywhere but to the default: taken, whoever did it. */
  async function routedRanges(): Promise<Range[]> {
    const text = await spawner.mustRun(['ip', '-4', '-json', 'route', 'show', 'table', 'all'])
    return (JSON.parse(text) as { dst: string }[])
      .filter(({ dst }) => dst !== 'default')
      .map(({ dst }) => parseRange(dst))
  }

  /** Keeps the network's range if nobody has taken it since, and finds another otherwise. */
  async function chooseSubnet(name: string): Promise<void> {
    const routed = await routedRanges()
    const known = find(name)
    const own = known && parseRange(known.subnet)
    if (own && !routed.some(({ first, last }) => first <= own.last && last >= own.first)) return
    const others = list()
      .filter((network) => network.name !== name)
      .map(({ subnet }) => parseRange(subnet))
    const subnet = freeSubnet(pool, [...routed, ...others])
    if (subnet === null)
      throw new EngineError('limit-exceeded', `all of ${pool} is taken: no network ${name}`)
    state.db.prepare('UPDATE networks SET subnet = ? WHERE name = ?').run(subnet, name)
  }

  async function lower(bridge: string): Promise<void> {
    if (exists(bridge)) await spawner.run(['ip', 'link', 'delete', bridge])
  }

  async function loadFirewall(): Promise<void> {
    const input = firewallRules({ table, bridgePrefix, allowedHostPorts, networks: list() })
    await spawner.mustRun(['nft', '-f', '-'], { input })
  }

  async function dropFirewall(): Promise<void> {
    await spawner.run(['nft', 'delete', 'table', 'inet', table])
    await docker.close()
  }

  /** Where the table is gone, all of it is made again: the rows say the same already. */
  async function changeFirewall(change: 'add' | 'delete', network: Network): Promise<void> {
    const { code } = await spawner.run(['nft', '-f', '-'], { input: firewallChange(change, table, network) })
    if (code !== 0) await loadFirewall()
  }

  return {
    find,
    list,
    lower,
    async raise(name) {
      const known = find(name)
      if (known && exists(known.bridge)) return known
      state.db.prepare('INSERT OR IGNORE INTO networks (name) VALUES (?)').run(name)
      return withHostLock(async () => {
        await chooseSubnet(name)
        const network = find(name)
        if (!network) throw new EngineError('internal', `network ${name} was not recorded`)
        try {
          await spawner.mustRun(['ip', '-batch', '-'], {
            input: bridgeBatch(network.bridge, network.gateway),
          })
          if (existsSync('/proc/sys/net/ipv6'))
            writeFileSync(`/proc/sys/net/ipv6/conf/${network.bridge}/disable_ipv6`, '1')
          await changeFirewall('add', network)
          // What fails here is tried again, and said, by whoever keeps the networks up.
          await docker.open().catch(() => {})
        } catch (error) {
          await lower(network.bridge)
          throw error
        }
        return network
      })
    },
    // One at a time with raise(), which must not find a firewall that is about to go.
    forget: (name) =>
      withHostLock(async () => {
        const network = find(name)
        state.db.prepare('DELETE FROM networks WHERE name = ?').run(name)
        if (list().length === 0) await dropFirewall()
        else if (network) await changeFirewall('delete', network)
      }),
    linksOnHost: (kind) =>
      readdirSync('/sys/class/net').filter((link) =>
        link.startsWith(kind === 'bridge' ? bridgePrefix : linkPrefix),
      ),
    async openFirewall() {
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
      if (list().length > 0) await loadFirewall()
      else await dropFirewall()
    },
    passDocker: () =>
      withHostLock(async () => {
        if (list().length > 0) await docker.open()
      }),
    keepFirewall: () =>
      withHostLock(async () => {
        if (list().length === 0) return true
        const { code } = await spawner.run(['nft', 'list', 'set', 'inet', table, 'same_network'])
        if (code === 0) return true
        await loadFirewall()
        return false
      }),
  }
}
