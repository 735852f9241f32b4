/** Networks and the containers' places in them: who has which address, under which names, by which link. */
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import { createKeyedLock } from '../state/keyed-lock.ts'
import type { Spawner } from '../sys/spawner.ts'
import { createAttachments } from './attachments.ts'
import { createBridges } from './bridges.ts'
import { createConnections } from './connections.ts'
import { firewallRules } from './firewall.ts'
import { createFirewallTables } from './firewall-tables.ts'
import { createFlows } from './flows.ts'
import { createForwardRows } from './forward-rows.ts'
import { createForwards } from './forwards.ts'
import { hostFirewalls } from './host-firewalls.ts'
import { withHostLock } from './host-lock.ts'
import { claimHostPort } from './host-ports.ts'
import { keepUp } from './keep-up.ts'
import { openNameServers } from './names.ts'
import { createNetworkLife } from './network-life.ts'
import type { NetworkPlaces } from './network-places.ts'
import type { Networks } from './networks.ts'
import { networksOnHost } from './on-host.ts'
import { createPlaceRows } from './places.ts'
import { checkOtherEngines } from './promised-ports.ts'
import { createRecords } from './records.ts'
import { recoverNetworks } from './recover.ts'
import { createResolvers, redirects } from './resolvers.ts'
import { uplinks } from './uplinks.ts'

export interface NetworksParts {
  state: State
  spawner: Spawner
  /** Six hexadecimal digits that tell this engine from others on the host. */
  instance: string
  pool: string
  allowedHostPorts: number[]
  runDir: string
  log: (message: string, error: unknown) => void
}

export async function createNetworks(parts: NetworksParts): Promise<Networks & NetworkPlaces> {
  const { state, spawner, instance, pool, allowedHostPorts, log } = parts
  const table = `berth_${instance}`
  const bridgePrefix = `bth${instance}-`
  const linkPrefix = `bv${instance}-`
  const bridges = createBridges({ state, spawner, pool, bridgePrefix, linkPrefix })
  const places = createPlaceRows(state)
  const records = createRecords(bridges, places, linkPrefix)
  const nameServers = await openNameServers(join(parts.runDir, 'names'), spawner, pool)
  let knownUplinks = ''
  const firewall = createFirewallTables(spawner, table, () => {
    const networks = bridges.list()
    if (networks.length === 0) return null
    const links = uplinks()
    knownUplinks = links.join()
    return firewallRules({
      table,
      bridgePrefix,
      linkPrefix,
      pool,
      allowedHostPorts,
      uplinks: links,
      networks,
      places: places.all().flatMap(records.firewallPlace),
      published: records.connected().flatMap(records.publishedBy),
      promised: [...places.all().flatMap(({ ports }) => ports), ...forwards.promised()],
      forwarded: forwards.forwarded(),
      resolvers: redirects(records),
    })
  })
  const others = hostFirewalls(spawner, bridgePrefix)
  const lockNetwork = createKeyedLock()
  const lockContainer = createKeyedLock()
  const onHost = networksOnHost({ records, spawner, firewall, others, nameServers, log })
  const resolvers = createResolvers(records, nameServers, firewall)
  const flows = createFlows(spawner, log)
  const forwards = createForwards({
    ...{ rows: createForwardRows(state), records, spawner, firewall, flows, table },
  })
  const connections = createConnections({
    flows,
    records,
    spawner,
    firewall,
    table,
    onHost,
    lockNetwork,
    log,
  })
  const isOutdated = () => knownUplinks !== uplinks().join()
  const stopKeepingUp = keepUp({
    isOutdated,
    records,
    firewall,
    onHost,
    resolvers,
    lockNetwork,
    lockContainer,
    log,
  })

  async function disconnect(container: string): Promise<void> {
    await resolvers.around(container, async () => {
      records.running.delete(container)
      await Promise.all(places.ofContainer(container).map(connections.disconnect))
    })
    await forwards.follow(container)
  }

  return {
    ...createNetworkLife({ records, onHost, nameServers, lockNetwork }),
    ...createAttachments({ records, connections, resolvers, lockNetwork, lockContainer }),
    forward: forwards.forward,
    checkFree: forwards.checkFree,
    forwardedConnections: forwards.forwardedConnections,
    reserve: (container, network, { names, ports = [], bandwidth = {} }) =>
      lockContainer(container, async () => {
        if (places.find(container, network)) return
        forwards.checkPublished(ports)
        for (const port of ports) await claimHostPort(port)
        await lockNetwork(network, async () => {
          // In one step with the place: between two, whoever leaves the network last would take it down.
          if (!bridges.find(network)) bridges.record(network, 'all')
          await onHost.raise(network)
          const insert = () => connections.insert({ container, network, names, ports, bandwidth })
          if (ports.length === 0) return void insert()
          await withHostLock(async () => {
            await checkOtherEngines(spawner, table, ports)
            insert()
            await firewall.load()
          })
        })
      }),
    placeOf(container) {
      const [place] = places.ofContainer(container)
      const network = place && bridges.find(place.network)
      if (!network) throw new EngineError('not-found', `container ${container} has no place in a network`)
      return { address: records.addressOf(place), network }
    },
    connect: (container, pid) =>
      lockContainer(container, async () => {
        await resolvers.around(container, async () => {
          records.running.set(container, pid)
          for (const place of places.ofContainer(container))
            if (place.attached) await connections.connect(place, pid)
        })
        await forwards.follow(container)
      }),
    disconnect: (container) => lockContainer(container, () => disconnect(container)),
    release: (container) =>
      lockContainer(container, async () => {
        await disconnect(container)
        for (const place of places.ofContainer(container)) await connections.release(place)
      }),
    recover: (connected) =>
      recoverNetworks({ records, flows, spawner, nameServers, onHost, resolvers, lockNetwork }, connected),
    async close() {
      await stopKeepingUp()
      await connections.settled()
    },
  }
}
