/** Networks and the containers' places in them: who has which address, under which names, by which link. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import { createKeyedLock } from '../state/keyed-lock.ts'
import type { Spawner } from '../sys/spawner.ts'
import { createBridges } from './bridges.ts'
import { dockerUser } from './docker-user.ts'
import { type FirewallPort, firewallRules, placeChange, portChange } from './firewall.ts'
import { createFirewallTables } from './firewall-tables.ts'
import { claimHostPort } from './host-ports.ts'
import { attachBatch, hardwareAddress, insideBatch, shapeBatch } from './links.ts'
import { openNameServers } from './names.ts'
import type { Attachment, Bandwidth, Egress, Network, Networks, PublishedPort } from './networks.ts'
import { createPlaceRows, type Place } from './places.ts'
import { addressIn, parseRange } from './subnets.ts'

const checkMs = 2_000
/** A container on several networks has a name server of its own, on this port and its number in the first of them. */
const resolverPortBase = 20_000
const mostRanges = 200

/** What containers need of networks. A place is reserved for the container's life, and connected while it runs. */
export interface NetworkPlaces {
  /**
   * Reserves a place on the network of the container's spec, which is made if need be; a second call changes nothing.
   * Throws limit-exceeded when the network is full, and already-exists when a port is taken.
   */
  reserve(container: string, network: string, options: PlaceOptions): Promise<void>
  /** Address and network of the container's spec; throws not-found. */
  placeOf(container: string): { address: string; network: Network }
  /** Gives the network namespace of process `pid` its interfaces, and publishes the names. */
  connect(container: string, pid: number): Promise<void>
  /** Takes interfaces, names and published ports away; the addresses stay reserved. */
  disconnect(container: string): Promise<void>
  release(container: string): Promise<void>
  /** Makes the host agree: these are connected (container → process), and nothing else of ours is on it. */
  recover(connected: ReadonlyMap<string, number>): Promise<void>
  close(): Promise<void>
}

export interface PlaceOptions {
  names: string[]
  ports?: PublishedPort[]
  bandwidth?: Bandwidth
}

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
  const nameServers = await openNameServers(join(parts.runDir, 'names'), spawner, pool)
  const firewall = createFirewallTables(spawner, table, () => {
    const networks = bridges.list()
    if (networks.length === 0) return null
    return firewallRules({
      table,
      bridgePrefix,
      linkPrefix,
      pool,
      allowedHostPorts,
      networks,
      places: places.all().flatMap(firewallPlace),
      published: places.all().filter(isConnected).flatMap(publishedBy),
      resolvers: [...running.keys()].flatMap((container) => resolverOf(container)?.redirect ?? []),
    })
  })
  const docker = dockerUser(spawner, bridgePrefix)
  const lockNetwork = createKeyedLock()
  const lockContainer = createKeyedLock()
  /** Running containers, each with a process in its network namespace. */
  const running = new Map<string, number>()
  /** Places that the firewall is being told of, by their numbers. */
  const beingTold = new Map<number, Promise<void>>()
  let checking = Promise.resolve()
  const timer = setInterval(() => {
    checking = checking.then(keepUp)
  }, checkMs)
  timer.unref()

  const linkOf = ({ seq }: Place) => `${linkPrefix}${seq.toString(36)}`
  const insideOf = ({ position }: Place) => `eth${position}`
  const isConnected = (place: Place) => place.attached && running.has(place.container)
  const addressOf = (place: Place, network: Network) => addressIn(network.subnet, place.host)

  function networkOf(name: string): Network {
    const network = bridges.find(name)
    if (!network) throw new EngineError('not-found', `there is no network ${name}`)
    return network
  }

  function firewallPlace(place: Place) {
    const network = bridges.find(place.network)
    if (!network) return []
    const address = addressOf(place, network)
    return [{ link: linkOf(place), address, hardwareAddress: hardwareAddress(address) }]
  }

  function publishedBy(place: Place): FirewallPort[] {
    const network = bridges.find(place.network)
    return network ? place.ports.map((port) => ({ ...port, address: addressOf(place, network) })) : []
  }

  function attachmentOf(place: Place): Attachment {
    return {
      container: place.container,
      network: place.network,
      address: addressOf(place, networkOf(place.network)),
      interface: insideOf(place),
      names: place.names,
      connected: isConnected(place),
    }
  }

  const serverOf = ({ bridge, gateway, egress }: Network) => ({
    key: bridge,
    bridge,
    gateway,
    port: 53,
    zones: [bridge],
    forwards: egress !== 'none',
  })

  async function loadFirewall(): Promise<void> {
    await firewall.load()
    await passDocker()
  }

  /** Docker, where it is on the host, lets through what our firewall does, for as long as there is a network. */
  async function passDocker(): Promise<void> {
    await (bridges.list().length > 0 ? docker.open() : docker.close()).catch((error) =>
      log("Docker's firewall drops what containers send, and cannot be told not to", error),
    )
  }

  /** Bridge, firewall and name server of a recorded network. Call it in the network's lock. */
  async function raise(name: string): Promise<Network> {
    const { network, wasMissing } = await bridges.raise(name)
    if (wasMissing) {
      await loadFirewall()
      const left = bridges.linksOnHost('container')
      for (const place of places.ofNetwork(name).filter(isConnected))
        if (left.includes(linkOf(place)))
          await spawner.run(['ip', 'link', 'set', 'dev', linkOf(place), 'master', network.bridge, 'up'])
    }
    await nameServers.keepAlive(serverOf(network))
    return network
  }

  async function publishNames(name: string): Promise<void> {
    const network = bridges.find(name)
    if (!network) return
    const entries = places
      .ofNetwork(name)
      .filter((place) => isConnected(place) && place.names.length > 0)
      .map((place) => ({ address: addressOf(place, network), names: place.names }))
    await nameServers.publish(network.bridge, entries)
  }

  /** For one that is not on the network of its spec alone: it asks there, and knows the names of all of them. */
  function resolverOf(container: string) {
    const on = places.ofContainer(container).filter(isConnected)
    const [first] = on
    if (!first || (on.length === 1 && first.position === 0)) return null
    const networks = on.map(({ network }) => networkOf(network))
    const { bridge, gateway } = networkOf(first.network)
    const port = resolverPortBase + first.host
    return {
      server: {
        key: `${bridge}-${port}`,
        bridge,
        gateway,
        port,
        zones: networks.map((network) => network.bridge),
        forwards: networks.some(({ egress }) => egress !== 'none'),
      },
      redirect: { bridge, address: addressIn(networkOf(first.network).subnet, first.host), port },
    }
  }

  /** Does what `change` does to a container's places, and sees to its name server before and after. */
  async function withResolver<T>(container: string, change: () => Promise<T>): Promise<T> {
    const before = resolverOf(container)
    const result = await change()
    const after = resolverOf(container)
    if (!before && !after) return result
    if (after) await nameServers.keepAlive(after.server)
    await firewall.load()
    if (before && before.server.key !== after?.server.key) await nameServers.stop(before.server.key)
    return result
  }

  async function connectPlace(place: Place, pid: number): Promise<void> {
    const network = await lockNetwork(place.network, () => raise(place.network))
    const { bridge, gateway } = network
    const [link, inside, address] = [linkOf(place), insideOf(place), addressOf(place, network)]
    const mtu = Number(readFileSync(`/sys/class/net/${bridge}/mtu`, 'utf8'))
    const { inBitsPerSecond, outBitsPerSecond } = place.bandwidth
    await spawner.mustRun(['ip', '-batch', '-'], {
      input: attachBatch({ link, bridge, pid, inside, address, mtu, hairpin: place.ports.length > 0 }),
    })
    const within = ['nsenter', `--net=/proc/${pid}/ns/net`]
    await Promise.all([
      beingTold.get(place.seq),
      spawner.mustRun([...within, 'ip', '-batch', '-'], {
        input: insideBatch(inside, place.position, address, gateway),
      }),
      lockNetwork(place.network, () => publishNames(place.network)),
      publishPorts(place, network),
      inBitsPerSecond && spawner.mustRun(['tc', '-batch', '-'], { input: shapeBatch(link, inBitsPerSecond) }),
      outBitsPerSecond &&
        spawner.mustRun([...within, 'tc', '-batch', '-'], { input: shapeBatch(inside, outBitsPerSecond) }),
    ])
  }

  async function publishPorts(place: Place, { bridge }: Network): Promise<void> {
    if (place.ports.length === 0) return
    // The host's own 127.0.0.1 is led to the container, and the answers back; the firewall keeps others from it.
    writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1')
    await firewall.change(
      publishedBy(place)
        .map((port) => portChange('add', table, port))
        .join(''),
    )
  }

  async function disconnectPlace(place: Place): Promise<void> {
    const ports = publishedBy(place)
    if (ports.length > 0)
      await firewall.change(ports.map((port) => portChange('delete', table, port)).join(''))
    const link = linkOf(place)
    if (bridges.linksOnHost('container').includes(link)) await spawner.run(['ip', 'link', 'delete', link])
    await lockNetwork(place.network, () => publishNames(place.network))
  }

  async function disconnect(container: string): Promise<void> {
    await withResolver(container, async () => {
      running.delete(container)
      await Promise.all(places.ofContainer(container).map(disconnectPlace))
    })
  }

  async function releasePlace(place: Place): Promise<void> {
    const change = firewallPlace(place).map((found) => placeChange('delete', table, found))
    places.delete(place.seq)
    if (change.length > 0) await firewall.change(change.join(''))
  }

  /** The firewall is told meanwhile: whoever connects the place waits for it. */
  function insertPlace(place: Parameters<typeof places.insert>[0]): void {
    networkOf(place.network)
    const made = places.insert(place)
    const changes = firewallPlace(made).map((found) => placeChange('add', table, found))
    const told = firewall.change(changes.join('')).finally(() => beingTold.delete(made.seq))
    beingTold.set(made.seq, told)
    told.catch((error) => log('the firewall was not told of a new place', error))
  }

  /** What outlives us can be ended by others: mends it. */
  async function keepUp(): Promise<void> {
    const networks = bridges.list()
    if (networks.length === 0) return
    await firewall
      .areThere()
      .then(async (are) => {
        if (are) return
        await firewall.load()
        log('the firewall was gone and is made again', null)
      })
      .catch((error) => log('the firewall is gone and cannot be made again', error))
    await passDocker()
    const used = new Set(
      places
        .all()
        .filter(isConnected)
        .map(({ network }) => network),
    )
    for (const { name, bridge } of networks)
      await lockNetwork(name, async () => {
        if (bridges.find(name) && (bridges.isUp(bridge) || used.has(name))) await raise(name)
      }).catch((error) => log(`network ${name} cannot be mended`, error))
    for (const container of [...running.keys()])
      await lockContainer(container, async () => {
        const resolver = resolverOf(container)
        if (resolver) await nameServers.keepAlive(resolver.server)
      }).catch((error) => log(`the name server of container ${container} cannot be mended`, error))
  }

  function checkName(name: string): void {
    if (!/^[a-z0-9_-]{1,64}$/.test(name))
      throw new EngineError('invalid', `${name} is no name for a network: 1–64 of a-z 0-9 _ -`)
  }

  return {
    async create(name, { egress = 'all', signal } = {}) {
      signal?.throwIfAborted()
      checkName(name)
      checkEgress(egress)
      return lockNetwork(name, async () => {
        if (bridges.find(name)) throw new EngineError('already-exists', `there is a network ${name} already`)
        bridges.record(name, egress)
        return raise(name).catch((error) => {
          bridges.forget(name)
          throw error
        })
      })
    },
    async ensure(name, { signal } = {}) {
      signal?.throwIfAborted()
      checkName(name)
      return lockNetwork(name, async () => {
        if (!bridges.find(name)) bridges.record(name, 'all')
        return raise(name)
      })
    },
    async update(name, { egress }) {
      if (egress !== undefined) checkEgress(egress)
      return lockNetwork(name, async () => {
        const network = networkOf(name)
        if (egress === undefined) return network
        bridges.record(name, egress)
        await firewall.load()
        if (bridges.isUp(network.bridge)) await nameServers.keepAlive(serverOf(networkOf(name)))
        return networkOf(name)
      })
    },
    async inspect(name) {
      return { ...networkOf(name), attachments: places.ofNetwork(name).map(attachmentOf) }
    },
    list: async () => bridges.list(),
    remove: (name) =>
      lockNetwork(name, async () => {
        const network = bridges.find(name)
        if (!network) return bridges.forget(name)
        const [used] = places.ofNetwork(name)
        if (used)
          throw new EngineError(
            'failed-precondition',
            `network ${name} is used by container ${used.container}`,
          )
        await nameServers.stop(network.bridge)
        await bridges.lower(network.bridge)
        bridges.forget(name)
        await loadFirewall()
      }),
    attach: (container, network, { aliases = [] } = {}) =>
      lockContainer(container, async () => {
        const [first] = places.ofContainer(container)
        if (!first) throw new EngineError('not-found', `there is no container ${container}`)
        const names = [...new Set([...first.names.slice(0, 1), ...aliases])]
        const known = places.find(container, network)
        if (known?.attached) return attachmentOf(known)
        return withResolver(container, async () => {
          if (known) {
            places.setAttached(known.seq, true)
            if (aliases.length > 0) places.setNames(known.seq, names)
          } else {
            await lockNetwork(network, async () =>
              insertPlace({ container, network, names, ports: [], bandwidth: first.bandwidth }),
            )
          }
          const place = places.find(container, network)
          if (!place)
            throw new EngineError('internal', `the place of ${container} on ${network} was not recorded`)
          const pid = running.get(container)
          if (pid !== undefined) await connectPlace(place, pid)
          return attachmentOf(place)
        })
      }),
    detach: (container, network) =>
      lockContainer(container, async () => {
        const place = places.find(container, network)
        if (!place?.attached) return
        await withResolver(container, async () => {
          places.setAttached(place.seq, false)
          await disconnectPlace(place)
          if (place.position > 0) await releasePlace(place)
        })
      }),

    reserve: (container, network, { names, ports = [], bandwidth = {} }) =>
      lockContainer(container, async () => {
        if (places.find(container, network)) return
        for (const port of ports) await claimHostPort(port)
        await lockNetwork(network, async () => {
          // In one step with the place: between two, whoever leaves the network last would take it down.
          if (!bridges.find(network)) bridges.record(network, 'all')
          await raise(network)
          insertPlace({ container, network, names, ports, bandwidth })
        })
      }),
    placeOf(container) {
      const [place] = places.ofContainer(container)
      const network = place && bridges.find(place.network)
      if (!network) throw new EngineError('not-found', `container ${container} has no place in a network`)
      return { address: addressOf(place, network), network }
    },
    connect: (container, pid) =>
      lockContainer(container, async () => {
        await withResolver(container, async () => {
          running.set(container, pid)
          for (const place of places.ofContainer(container))
            if (place.attached) await connectPlace(place, pid)
        })
      }),
    disconnect: (container) => lockContainer(container, () => disconnect(container)),
    release: (container) =>
      lockContainer(container, async () => {
        await disconnect(container)
        for (const place of places.ofContainer(container)) await releasePlace(place)
      }),
    async recover(connected) {
      bridges.forgetUnraised()
      for (const [container, pid] of connected) running.set(container, pid)
      const used = places.all().filter(isConnected)
      const links = new Set(used.map(linkOf))
      const names = new Set(used.map(({ network }) => network))
      const kept = new Set(
        bridges
          .list()
          .filter(({ name }) => names.has(name))
          .map(({ bridge }) => bridge),
      )
      const resolvers = [...connected.keys()].flatMap((container) => resolverOf(container)?.server ?? [])
      for (const { key } of resolvers) kept.add(key)
      for (const link of bridges.linksOnHost('container'))
        if (!links.has(link)) await spawner.run(['ip', 'link', 'delete', link])
      for (const key of await nameServers.list()) if (!kept.has(key)) await nameServers.stop(key)
      for (const bridge of bridges.linksOnHost('bridge')) if (!kept.has(bridge)) await bridges.lower(bridge)
      await loadFirewall()
      for (const name of names)
        await lockNetwork(name, async () => {
          await raise(name)
          await publishNames(name)
        })
      for (const server of resolvers) await nameServers.keepAlive(server)
    },
    async close() {
      clearInterval(timer)
      await checking
      await Promise.allSettled(beingTold.values())
    },
  }
}

function checkEgress(egress: Egress): void {
  if (egress === 'all' || egress === 'none') return
  if (egress.length === 0 || egress.length > mostRanges)
    throw new EngineError(
      'invalid',
      `egress lists 1 to ${mostRanges} ranges, and not ${egress.length}: say none for nothing`,
    )
  for (const range of egress) parseRange(range)
}
