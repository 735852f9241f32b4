/** What containers need of networks. A place is reserved for the container's life, and connected while it runs. */
import type { Bandwidth, Network, PublishedPort } from './networks.ts'

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
