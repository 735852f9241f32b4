/** Networks and the containers' places in them: who has which address, under which names, by which link. */
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import { createKeyedLock } from '../state/keyed-lock.ts'
import { type BridgeOptions, createBridges } from './bridges.ts'
import { attachBatch, insideBatch } from './links.ts'
import { openNameServers } from './names.ts'
import type { Network, Networks } from './networks.ts'
import { addressIn } from './subnets.ts'

const checkMs = 5_000
/** .1 is the gateway, .255 everybody. */
const firstHost = 2
const lastHost = 254

/** What containers need of networks. A place is reserved for the container's life, and connected while it runs. */
export interface NetworkPlaces {
  /**
   * Makes the network if need be, in one step with the place: between two, whoever leaves it last would take it down.
   * Throws limit-exceeded when the network is full.
   */
  reserve(id: string, network: string, names: string[]): Promise<void>
  /** Address and network of a reserved place; throws not-found. */
  placeOf(id: string): { address: string; network: Network }
  /** Gives the network namespace of process `pid` its interface, and publishes the names. */
  connect(id: string, pid: number): Promise<void>
  /** Takes interface and names away; the address stays reserved. */
  disconnect(id: string): Promise<void>
  release(id: string): Promise<void>
  /** Makes the host agree: these are connected, and nothing else of ours is on it. */
  recover(connected: string[]): Promise<void>
  close(): Promise<void>
}

export async function createNetworks(
  options: BridgeOptions & { runDir: string; log: (message: string, error: unknown) => void },
): Promise<Networks & NetworkPlaces> {
  const { state, spawner, instance } = options
  const bridges = createBridges(options)
  const nameServers = await openNameServers(join(options.runDir, 'names'), spawner)
  const lock = createKeyedLock()
  const connected = new Set<string>()
  let checking = Promise.resolve()
  const timer = setInterval(() => {
    checking = checking.then(keepUp)
  }, checkMs)
  timer.unref()

  const rowOf = (id: string) => state.db.prepare('SELECT * FROM places WHERE id = ?').get(id)
  const linkOf = (seq: unknown) => `bv${instance}-${Number(seq).toString(36)}`

  function placeOf(id: string) {
    const row = rowOf(id)
    const network = row && bridges.find(String(row.network))
    if (!row || !network) throw new EngineError('not-found', `container ${id} has no place in a network`)
    return { address: addressIn(network.subnet, Number(row.host)), network, link: linkOf(row.seq) }
  }

  /** Round and round, so that an address that was just given back rests for a while. */
  function freeHost(network: string): number {
    const rows = state.db.prepare('SELECT host FROM places WHERE network = ? ORDER BY seq').all(network)
    const taken = new Set(rows.map((row) => Number(row.host)))
    const last = Number(rows.at(-1)?.host ?? lastHost)
    for (let step = 1; step <= lastHost; step++) {
      const host = firstHost + ((last - firstHost + step) % (lastHost - firstHost + 1))
      if (!taken.has(host)) return host
    }
    throw new EngineError('limit-exceeded', `network ${network} has no free address`)
  }

  async function publish(network: Network): Promise<void> {
    const rows = state.db.prepare('SELECT * FROM places WHERE network = ? ORDER BY seq').all(network.name)
    const entries = rows
      .filter((row) => connected.has(String(row.id)))
      .map((row) => ({
        address: addressIn(network.subnet, Number(row.host)),
        names: JSON.parse(String(row.names)) as string[],
      }))
    await nameServers.publish(network.bridge, network.gateway, entries)
  }

  /** What outlives us can be ended by others: mends it. */
  async function keepUp(): Promise<void> {
    const networks = bridges.list()
    if (networks.length === 0) return
    await bridges
      .keepFirewall()
      .then((was) => was || options.log('the firewall was gone and is made again', null))
      .catch((error) => options.log('the firewall is gone and cannot be made again', error))
    await passDocker()
    for (const network of networks)
      await lock(network.name, async () => {
        const isUp = bridges.linksOnHost('bridge').includes(network.bridge)
        if (isUp && bridges.find(network.name)) await nameServers.keepAlive(network.bridge, network.gateway)
      }).catch((error) => options.log(`the name server of network ${network.name} does not start`, error))
  }

  async function passDocker(): Promise<void> {
    await bridges
      .passDocker()
      .catch((error) =>
        options.log("Docker's firewall drops what containers send, and cannot be told not to", error),
      )
  }

  async function deleteLink(link: string): Promise<void> {
    if (bridges.linksOnHost('container').includes(link)) await spawner.run(['ip', 'link', 'delete', link])
  }

  /** Call it in the network's lock. */
  async function ensure(name: string): Promise<Network> {
    if (!/^[a-z0-9_-]{1,64}$/.test(name))
      throw new EngineError('invalid', `${name} is no name for a network: 1–64 of a-z 0-9 _ -`)
    const network = await bridges.raise(name)
    await nameServers.keepAlive(network.bridge, network.gateway)
    return network
  }

  async function disconnect(id: string): Promise<void> {
    const row = rowOf(id)
    if (!row) return
    const network = String(row.network)
    await lock(network, async () => {
      await deleteLink(linkOf(row.seq))
      const found = bridges.find(network)
      if (connected.delete(id) && found) await publish(found)
    })
  }

  return {
    ensure: (name, { signal } = {}) => {
      signal?.throwIfAborted()
      return lock(name, () => ensure(name))
    },
    list: async () => bridges.list(),
    remove: (name) =>
      lock(name, async () => {
        const network = bridges.find(name)
        if (!network) return bridges.forget(name)
        const used = state.db.prepare('SELECT id FROM places WHERE network = ?').get(name)
        if (used)
          throw new EngineError('failed-precondition', `network ${name} is used by container ${used.id}`)
        await nameServers.stop(network.bridge)
        await bridges.lower(network.bridge)
        await bridges.forget(name)
      }),

    reserve: (id, network, names) =>
      lock(network, async () => {
        await ensure(network)
        if (rowOf(id)) return
        state.db
          .prepare('INSERT INTO places (id, network, host, names) VALUES (?, ?, ?, ?)')
          .run(id, network, freeHost(network), JSON.stringify(names))
      }),
    placeOf,
    async connect(id, pid) {
      const { address, network, link } = placeOf(id)
      await spawner.mustRun(['ip', '-batch', '-'], {
        input: attachBatch({ link, bridge: network.bridge, pid, address }),
      })
      const inside = spawner.mustRun(['nsenter', `--net=/proc/${pid}/ns/net`, 'ip', '-batch', '-'], {
        input: insideBatch(address, network.gateway),
      })
      const named = lock(network.name, async () => {
        connected.add(id)
        await publish(network)
      })
      await Promise.all([inside, named])
    },
    disconnect,
    async release(id) {
      await disconnect(id)
      state.db.prepare('DELETE FROM places WHERE id = ?').run(id)
    },
    async recover(ids) {
      state.db.exec('DELETE FROM networks WHERE subnet IS NULL')
      for (const id of ids) connected.add(id)
      const places = ids.map(placeOf)
      const links = new Set(places.map(({ link }) => link))
      const used = new Map(places.map(({ network }) => [network.bridge, network]))
      for (const link of bridges.linksOnHost('container')) if (!links.has(link)) await deleteLink(link)
      for (const bridge of await nameServers.list()) if (!used.has(bridge)) await nameServers.stop(bridge)
      for (const bridge of bridges.linksOnHost('bridge')) if (!used.has(bridge)) await bridges.lower(bridge)
      await bridges.openFirewall()
      await passDocker()
      for (const network of used.values()) await publish(network)
    },
    async close() {
      clearInterval(timer)
      await checking
    },
  }
}
