import type { EngineErrorKind } from '../errors.ts'

/**
 * Networks: one bridge each, private to the containers that are attached. Containers of one network reach each other
 * by address and by name; nobody reaches another network, the host's own services or cloud metadata addresses, and
 * nobody can send under an address that is not its own. What may leave a network is its `egress`. There is no IPv6.
 *
 * A container is on the network of its spec from create to remove, with one address that stays its own when it stops
 * and starts. It can be attached to more, also while it runs: each is one more interface (eth1, eth2 …), and names of
 * all its networks resolve inside it. The address of one that is gone rests before somebody else gets it.
 *
 * Others on the host may flush the firewall, delete a bridge or kill a name server: it is mended within seconds.
 */
export interface Networks {
  /**
   * Throws already-exists if there is one of that name, limit-exceeded when all addresses of the engine's pool are
   * taken by networks or by the host's own routes, and invalid.
   */
  create(name: string, options?: NetworkOptions & { signal?: AbortSignal }): Promise<Network>
  /** Makes the network, open to the world, if it is not there. */
  ensure(name: string, options?: { signal?: AbortSignal }): Promise<Network>
  /** Narrows or opens what may leave, also for connections that are open. Throws not-found. */
  update(name: string, options: NetworkOptions): Promise<Network>
  /** Throws not-found. */
  inspect(name: string): Promise<NetworkDetails>
  list(): Promise<Network[]>
  /** Gone when it returns; failed-precondition while containers are attached; no error if it is not there. */
  remove(name: string): Promise<void>
  /**
   * Puts a container on one more network, at once if it runs; once more changes nothing. Throws not-found, and
   * limit-exceeded when the network is full.
   */
  attach(container: string, network: string, options?: { aliases?: string[] }): Promise<Attachment>
  /**
   * Takes a container off a network, at once if it runs; no error if it is not on it. Off the network of its spec it
   * keeps its address and its published ports for when it is attached again.
   */
  detach(container: string, network: string): Promise<void>
  /**
   * Makes ports of the host lead to containers: these, and no others, in one step, so that whoever connects meanwhile
   * reaches what was there before or what comes now. Connections by TCP that are open stay where they are; clients by
   * UDP are led to a container that is listed now. It is kept for the next engine. Answers with those that somebody
   * else has or that make no sense, which then lead nowhere; the others are made.
   */
  forward(forwards: Forward[]): Promise<RefusedForward[]>
  /**
   * Whether a port of the host could be forwarded or published on all its addresses. Throws already-exists where a
   * container, another engine or a process of this host has it; one that leads somewhere by a forward counts as free.
   */
  checkFree(port: Pick<Forward, 'protocol' | 'hostPort'>): Promise<void>
  /** How many connections by TCP are open, or being opened, that came to one of these containers by a forward. */
  forwardedConnections(containers: string[]): Promise<number>
}

export interface NetworkOptions {
  /** Default `all`. */
  egress?: Egress
}

/**
 * What containers reach outside their network. `all`: the world, published ports, and the host's ports that the engine
 * was told to allow. `none`: nothing, and names of the world don't resolve. IPv4 ranges such as 10.20.0.0/16: those
 * only, of the host itself too. Never other networks or cloud metadata addresses.
 */
export type Egress = 'all' | 'none' | string[]

export interface Network {
  /** 1–64 of [a-z0-9_-]. */
  name: string
  /** Name of the bridge on the host, at most 15 characters. */
  bridge: string
  /** Such as 10.89.4.0/24. */
  subnet: string
  gateway: string
  egress: Egress
}

export interface NetworkDetails extends Network {
  attachments: Attachment[]
}

export interface Attachment {
  container: string
  network: string
  address: string
  /** In the container, such as eth0. */
  interface: string
  /** Under which the network's other containers find it. */
  names: string[]
  /** Whether the interface is there now: the container runs, and is not detached. */
  connected: boolean
}

/** A port of the host that leads to a container, for what does not speak HTTP. */
export interface PublishedPort {
  containerPort: number
  hostPort: number
  protocol: 'tcp' | 'udp'
  /**
   * An IPv4 address of the host, or 0.0.0.0 for all that it has but the networks' gateways. 127.0.0.1 is for the host
   * itself. On any other the port is public: other networks reach it there as the world does.
   */
  hostAddress: string
}

/**
 * A port of the host that leads to whichever of its targets run, in turn: what PublishedPort is to one container, for
 * containers that take over from one another.
 */
export interface Forward {
  protocol: 'tcp' | 'udp'
  /** On all addresses that the host has, as with PublishedPort. */
  hostPort: number
  targets: { container: string; containerPort: number }[]
  /** IPv4 ranges that may begin a connection; default and none: all. */
  sources?: string[]
}

export interface RefusedForward {
  protocol: 'tcp' | 'udp'
  hostPort: number
  /** `already-exists`: somebody else has the port. `invalid`: it makes no sense. */
  kind: EngineErrorKind
  message: string
}

/** Bits a second, seen from the container; no limit where there is no number. */
export interface Bandwidth {
  inBitsPerSecond?: number
  outBitsPerSecond?: number
}
