/**
 * Name servers of containers that are not on the network of their spec alone: such a one asks there, and knows the
 * names of all its networks; its neighbours don't.
 */
import type { FirewallResolver } from './firewall.ts'
import type { FirewallTables } from './firewall-tables.ts'
import type { NameServer, NameServers } from './names.ts'
import type { Records } from './records.ts'

export interface Resolvers {
  /** Of the containers that have one now. */
  servers(): { container: string; server: NameServer }[]
  /** Keeps the container's own name server running, where it has one. */
  keepAlive(container: string): Promise<void>
  /** Does what `change` does to a container's places, and sees to its name server before and after. */
  around<T>(container: string, change: () => Promise<T>): Promise<T>
}

interface Resolver {
  server: NameServer
  redirect: FirewallResolver
}

/** A resolver listens on this port and the container's number in its first network. */
const portBase = 20_000

export function createResolvers(
  records: Records,
  nameServers: NameServers,
  firewall: FirewallTables,
): Resolvers {
  return {
    servers: () =>
      [...records.running.keys()].flatMap((container) => {
        const resolver = resolverOf(records, container)
        return resolver ? [{ container, server: resolver.server }] : []
      }),
    async keepAlive(container) {
      const resolver = resolverOf(records, container)
      if (resolver) await nameServers.keepAlive(resolver.server)
    },
    async around(container, change) {
      const before = resolverOf(records, container)
      const result = await change()
      const after = resolverOf(records, container)
      if (!before && !after) return result
      if (after) await nameServers.keepAlive(after.server)
      await firewall.load()
      if (before && before.server.key !== after?.server.key) await nameServers.stop(before.server.key)
      return result
    },
  }
}

/** What the firewall is told: whose questions go where. */
export function redirects(records: Records): FirewallResolver[] {
  return [...records.running.keys()].flatMap((container) => resolverOf(records, container)?.redirect ?? [])
}

function resolverOf(records: Records, container: string): Resolver | null {
  const on = records.places.ofContainer(container).filter(records.isConnected)
  const [first] = on
  if (!first || (on.length === 1 && first.position === 0)) return null
  const networks = on.map(({ network }) => records.networkOf(network))
  const { bridge, gateway } = records.networkOf(first.network)
  const port = portBase + first.host
  return {
    server: {
      key: `${bridge}-${port}`,
      bridge,
      gateway,
      port,
      zones: networks.map((network) => network.bridge),
      forwards: networks.some(({ egress }) => egress !== 'none'),
    },
    redirect: { bridge, address: records.addressOf(first), port },
  }
}
