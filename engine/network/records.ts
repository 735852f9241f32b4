/** What is recorded of networks and places, and who runs: all that the host is made to agree with. */
import { EngineError } from '../errors.ts'
import type { Bridges } from './bridges.ts'
import type { FirewallPlace, FirewallPort } from './firewall.ts'
import { hardwareAddress } from './links.ts'
import type { Attachment, Network } from './networks.ts'
import type { Place, PlaceRows } from './places.ts'
import { addressIn } from './subnets.ts'

export interface Records {
  bridges: Bridges
  places: PlaceRows
  /** Running containers, each with a process in its network namespace. */
  running: Map<string, number>
  /** Throws not-found. */
  networkOf(name: string): Network
  isConnected(place: Place): boolean
  connected(): Place[]
  addressOf(place: Place): string
  /** Name of the container's end on the host. */
  linkOf(place: Place): string
  /** In the container, such as eth0. */
  insideOf(place: Place): string
  /** What the firewall is told of it; nothing when its network is gone. */
  firewallPlace(place: Place): FirewallPlace[]
  publishedBy(place: Place): FirewallPort[]
  attachmentOf(place: Place): Attachment
}

export function createRecords(bridges: Bridges, places: PlaceRows, linkPrefix: string): Records {
  const running = new Map<string, number>()

  function networkOf(name: string): Network {
    const network = bridges.find(name)
    if (!network) throw new EngineError('not-found', `there is no network ${name}`)
    return network
  }

  const isConnected = (place: Place) => place.attached && running.has(place.container)
  const addressOf = (place: Place) => addressIn(networkOf(place.network).subnet, place.host)
  const linkOf = ({ seq }: Place) => `${linkPrefix}${seq.toString(36)}`
  const insideOf = ({ position }: Place) => `eth${position}`

  return {
    bridges,
    places,
    running,
    networkOf,
    isConnected,
    connected: () => places.all().filter(isConnected),
    addressOf,
    linkOf,
    insideOf,
    firewallPlace(place) {
      if (!bridges.find(place.network)) return []
      const address = addressOf(place)
      return [{ link: linkOf(place), address, hardwareAddress: hardwareAddress(address) }]
    },
    publishedBy: (place) =>
      bridges.find(place.network) ? place.ports.map((port) => ({ ...port, address: addressOf(place) })) : [],
    attachmentOf: (place) => ({
      container: place.container,
      network: place.network,
      address: addressOf(place),
      interface: insideOf(place),
      names: place.names,
      connected: isConnected(place),
    }),
  }
}
