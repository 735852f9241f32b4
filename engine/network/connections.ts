/** A place in a network, made real: links, addresses, bandwidth, names and published ports of a running container. */
import { readFileSync, writeFileSync } from 'node:fs'
import { EngineError } from '../errors.ts'
import type { KeyedLock } from '../state/keyed-lock.ts'
import type { Spawner } from '../sys/spawner.ts'
import { placeChange, portChange } from './firewall.ts'
import type { FirewallTables } from './firewall-tables.ts'
import type { Flows } from './flows.ts'
import { claimHostPort } from './host-ports.ts'
import { attachBatch, insideBatch, shapeBatch } from './links.ts'
import type { Network } from './networks.ts'
import type { OnHost } from './on-host.ts'
import type { Place, PlaceRows } from './places.ts'
import type { Records } from './records.ts'

export interface Connections {
  /** Records a place, with an address. The firewall is told meanwhile: whoever connects the place waits for it. */
  insert(place: Parameters<PlaceRows['insert']>[0]): Place
  /** Gives the network namespace of process `pid` this place's interface. */
  connect(place: Place, pid: number): Promise<void>
  /** Takes the interface, the names and the published ports away; the place stays. */
  disconnect(place: Place): Promise<void>
  /** Forgets the place: its address rests, and then is another's. */
  release(place: Place): Promise<void>
  /** Until the firewall knows of every place. */
  settled(): Promise<void>
}

export interface ConnectionParts {
  records: Records
  spawner: Spawner
  firewall: FirewallTables
  flows: Flows
  /** Name of the firewall's tables. */
  table: string
  onHost: OnHost
  lockNetwork: KeyedLock
  log: (message: string, error: unknown) => void
}

export function createConnections(parts: ConnectionParts): Connections {
  const { records, spawner, firewall, flows, table, onHost, lockNetwork, log } = parts
  const { bridges, places, firewallPlace, publishedBy, linkOf, insideOf } = records
  /** Places that the firewall is being told of, by their numbers. */
  const beingTold = new Map<number, Promise<void>>()

  const publishNames = (name: string) => lockNetwork(name, () => onHost.publishNames(name))

  async function publishPorts(place: Place, { bridge }: Network): Promise<void> {
    if (place.ports.length === 0) return
    // The host's own 127.0.0.1 is led to the container, and the answers back; the firewall keeps others from it.
    writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1')
    await firewall.change(
      publishedBy(place)
        .map((port) => portChange('add', table, port))
        .join(''),
    )
    await flows.forgetUnled(place.ports)
  }

  async function takePortsBack(place: Place): Promise<void> {
    const ports = publishedBy(place)
    if (ports.length === 0) return
    await firewall.change(ports.map((port) => portChange('delete', table, port)).join(''))
    await flows.forgetTo(records.addressOf(place))
  }

  return {
    insert(place) {
      records.networkOf(place.network)
      const made = places.insert(place)
      const changes = firewallPlace(made).map((found) => placeChange('add', table, found))
      const told = firewall.change(changes.join('')).finally(() => beingTold.delete(made.seq))
      beingTold.set(made.seq, told)
      told.catch((error) => log('the firewall was not told of a new place', error))
      return made
    },
    async connect(place, pid) {
      // A process may have come to listen there since the place was reserved: it would be cut off.
      for (const port of place.ports) await claimHostPort(port)
      const network = await lockNetwork(place.network, () => onHost.raise(place.network))
      const { bridge, gateway } = network
      const [link, inside, address] = [linkOf(place), insideOf(place), records.addressOf(place)]
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
        publishNames(place.network),
        publishPorts(place, network),
        inBitsPerSecond &&
          spawner.mustRun(['tc', '-batch', '-'], { input: shapeBatch(link, inBitsPerSecond) }),
        outBitsPerSecond &&
          spawner.mustRun([...within, 'tc', '-batch', '-'], { input: shapeBatch(inside, outBitsPerSecond) }),
      ])
    },
    async disconnect(place) {
      await takePortsBack(place)
      const link = linkOf(place)
      if (bridges.linksOnHost('container').includes(link)) await spawner.run(['ip', 'link', 'delete', link])
      await publishNames(place.network)
    },
    async release(place) {
      const change = firewallPlace(place).map((found) => placeChange('delete', table, found))
      places.delete(place.seq)
      if (place.ports.length > 0) await firewall.load()
      else if (change.length > 0) await firewall.change(change.join(''))
    },
    async settled() {
      await Promise.allSettled(beingTold.values())
    },
  }
}

/** The place of a container on a network that was recorded a moment ago. */
export function placeOn(places: PlaceRows, container: string, network: string): Place {
  const place = places.find(container, network)
  if (!place) throw new EngineError('internal', `the place of ${container} on ${network} was not recorded`)
  return place
}
