/** The rows of who is on which network, with which address, under which names. */
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import { inTransaction } from '../state/migrations.ts'
import type { Bandwidth, PublishedPort } from './networks.ts'

export interface Place {
  seq: number
  container: string
  network: string
  /** Number of the address in the network's range. */
  host: number
  names: string[]
  /** 0 on the network of the container's spec. Its interface is eth0, and so on. */
  position: number
  /** Not while it is detached from the network of its spec. */
  attached: boolean
  ports: PublishedPort[]
  bandwidth: Bandwidth
}

export interface PlaceRows {
  all(): Place[]
  /** By position. */
  ofContainer(container: string): Place[]
  ofNetwork(network: string): Place[]
  find(container: string, network: string): Place | undefined
  /** Takes a free address. Throws limit-exceeded when there is none, already-exists when a port is another's. */
  insert(place: Omit<Place, 'seq' | 'host' | 'position' | 'attached'>): Place
  setAttached(seq: number, attached: boolean): void
  setNames(seq: number, names: string[]): void
  delete(seq: number): void
}

/** .1 is the gateway, .255 everybody. */
const firstHost = 2
const lastHost = 254
const everyAddress = '0.0.0.0'

export function createPlaceRows({ db, lazily }: State): PlaceRows {
  function placeOf(row: Record<string, unknown>): Place {
    return {
      seq: Number(row.seq),
      container: String(row.id),
      network: String(row.network),
      host: Number(row.host),
      names: JSON.parse(String(row.names)) as string[],
      position: Number(row.position),
      attached: row.attached === 1,
      ports: JSON.parse(String(row.ports)) as PublishedPort[],
      bandwidth: JSON.parse(String(row.bandwidth)) as Bandwidth,
    }
  }

  const all = () => db.prepare('SELECT * FROM places ORDER BY seq').all().map(placeOf)
  const ofContainer = (container: string) =>
    db.prepare('SELECT * FROM places WHERE id = ? ORDER BY position').all(container).map(placeOf)
  const ofNetwork = (network: string) =>
    db.prepare('SELECT * FROM places WHERE network = ? ORDER BY seq').all(network).map(placeOf)

  /** Round and round, so that an address that was just given back rests until all others had their turn. */
  function takeHost(network: string): number {
    const taken = new Set(
      db
        .prepare('SELECT host FROM places WHERE network = ?')
        .all(network)
        .map((row) => Number(row.host)),
    )
    const last = Number(db.prepare('SELECT last_host FROM networks WHERE name = ?').get(network)?.last_host)
    for (let step = 1; step <= lastHost; step++) {
      const host = firstHost + ((last - firstHost + step) % (lastHost - firstHost + 1))
      if (taken.has(host)) continue
      db.prepare('UPDATE networks SET last_host = ? WHERE name = ?').run(host, network)
      return host
    }
    throw new EngineError(
      'limit-exceeded',
      `network ${network} has no free address: all ${lastHost - firstHost + 1} are containers'. Remove some, or use another network`,
    )
  }

  /** Whoever makes a container of it waits for the disk, and a place without a container is swept. */
  const inOneStep = <T>(work: () => T) => lazily(() => inTransaction(db, work))

  function checkPorts(container: string, ports: PublishedPort[]): void {
    // What others have is read for those who ask for some: most have none, and may be many.
    if (ports.length === 0) return
    for (const [at, port] of ports.entries()) {
      const same = ports.slice(0, at).some((other) => collide(port, other))
      if (same)
        throw new EngineError('invalid', `container ${container} publishes ${describePort(port)} twice`)
    }
    for (const place of all())
      for (const port of ports)
        if (place.ports.some((other) => collide(port, other)))
          throw new EngineError(
            'already-exists',
            `cannot publish ${describePort(port)} for container ${container}: container ${place.container} has it. Choose another port, or remove that container`,
          )
  }

  return {
    all,
    ofContainer,
    ofNetwork,
    find: (container, network) => ofContainer(container).find((place) => place.network === network),
    insert: ({ container, network, names, ports, bandwidth }) =>
      inOneStep(() => {
        checkPorts(container, ports)
        const used = new Set(ofContainer(container).map(({ position }) => position))
        let position = 0
        while (used.has(position)) position++
        const host = takeHost(network)
        const row = db
          .prepare(
            `INSERT INTO places (id, network, host, names, position, ports, bandwidth) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *`,
          )
          .get(
            container,
            network,
            host,
            JSON.stringify(names),
            position,
            JSON.stringify(ports),
            JSON.stringify(bandwidth),
          )
        return placeOf(row ?? {})
      }),
    setAttached(seq, attached) {
      db.prepare('UPDATE places SET attached = ? WHERE seq = ?').run(attached ? 1 : 0, seq)
    },
    setNames(seq, names) {
      db.prepare('UPDATE places SET names = ? WHERE seq = ?').run(JSON.stringify(names), seq)
    },
    delete(seq) {
      lazily(() => db.prepare('DELETE FROM places WHERE seq = ?').run(seq))
    },
  }
}

type HostPort = Pick<PublishedPort, 'hostAddress' | 'hostPort' | 'protocol'>

/** Such as 0.0.0.0:5432/tcp. */
export function describePort({ hostAddress, hostPort, protocol }: HostPort): string {
  return `${hostAddress}:${hostPort}/${protocol}`
}

/** Whether both cannot be published. */
export function collide(a: HostPort, b: HostPort): boolean {
  const sameAddress = a.hostAddress === b.hostAddress || [a.hostAddress, b.hostAddress].includes(everyAddress)
  return sameAddress && a.hostPort === b.hostPort && a.protocol === b.protocol
}
