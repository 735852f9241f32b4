/** Recorded networks on the host: their bridges, their part of the firewall, their names. */
import type { Spawner } from '../sys/spawner.ts'
import type { FirewallTables } from './firewall-tables.ts'
import type { HostFirewalls } from './host-firewalls.ts'
import type { NameServer, NameServers } from './names.ts'
import type { Network } from './networks.ts'
import type { Records } from './records.ts'
import { addressIn } from './subnets.ts'

export interface OnHost {
  /** Bridge, firewall and name server of a recorded network. Call it in the network's lock. */
  raise(name: string): Promise<Network>
  /** Takes all of a network off the host, and forgets it. Call it in the network's lock. */
  remove(name: string): Promise<void>
  /** Has the network's name servers know who is connected now. Call it in the network's lock. */
  publishNames(name: string): Promise<void>
  /** Makes the firewall anew from what is recorded. */
  loadFirewall(): Promise<void>
  /** Has other firewalls of the host let through what ours does, while there is a network; a failure is logged. */
  passOthers(): Promise<void>
  /** The name server of a network. */
  serverOf(network: Network): NameServer
}

export interface OnHostParts {
  records: Records
  spawner: Spawner
  firewall: FirewallTables
  others: HostFirewalls
  nameServers: NameServers
  log: (message: string, error: unknown) => void
}

export function networksOnHost(parts: OnHostParts): OnHost {
  const { records, spawner, firewall, others, nameServers, log } = parts
  const { bridges, places } = records

  const serverOf = ({ bridge, gateway, egress }: Network): NameServer => ({
    key: bridge,
    bridge,
    gateway,
    port: 53,
    zones: [bridge],
    forwards: egress !== 'none',
  })

  async function loadFirewall(): Promise<void> {
    await firewall.load()
    await passOthers()
  }

  /** What was said of it last: a firewall that cannot be told is not worth a line every 2 s. */
  let complaint = ''

  async function passOthers(): Promise<void> {
    try {
      await (bridges.list().length > 0 ? others.open() : others.close())
      complaint = ''
    } catch (error) {
      if (String(error) !== complaint)
        log("a firewall of this host drops what containers send, and can't be told not to", error)
      complaint = String(error)
    }
  }

  return {
    serverOf,
    loadFirewall,
    passOthers,
    async raise(name) {
      const { network, wasMissing } = await bridges.raise(name)
      if (wasMissing) {
        await loadFirewall()
        const left = bridges.linksOnHost('container')
        for (const place of places.ofNetwork(name).filter(records.isConnected))
          if (left.includes(records.linkOf(place)))
            await spawner.run([
              ...['ip', 'link', 'set', 'dev', records.linkOf(place)],
              ...['master', network.bridge, 'up'],
            ])
      }
      await nameServers.keepAlive(serverOf(network))
      return network
    },
    async remove(name) {
      const network = bridges.find(name)
      if (!network) return bridges.forget(name)
      await nameServers.stop(network.bridge)
      await bridges.lower(network.bridge)
      bridges.forget(name)
      await loadFirewall()
    },
    async publishNames(name) {
      const network = bridges.find(name)
      if (!network) return
      const entries = places
        .ofNetwork(name)
        .filter((place) => records.isConnected(place) && place.names.length > 0)
        .map(({ host, names }) => ({ address: addressIn(network.subnet, host), names }))
      await nameServers.publish(network.bridge, entries)
    },
  }
}
