/** Ports of the host that lead to several containers, made real. */
import { writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { EngineError, isEngineError } from '../errors.ts'
import type { Spawner } from '../sys/spawner.ts'
import { type ForwardedPort, forwardChange } from './firewall.ts'
import type { FirewallTables } from './firewall-tables.ts'
import type { Flows } from './flows.ts'
import type { ForwardRows } from './forward-rows.ts'
import { withHostLock } from './host-lock.ts'
import { checkPublishedPorts, claimHostPort } from './host-ports.ts'
import type { Forward, Networks, RefusedForward } from './networks.ts'
import { collide, describePort } from './places.ts'
import { checkOtherEngines } from './promised-ports.ts'
import type { Records } from './records.ts'
import { parseRange } from './subnets.ts'

export interface Forwards extends Pick<Networks, 'forward' | 'checkFree' | 'forwardedConnections'> {
  /** What the firewall is to be told as of now: ports that lead somewhere. */
  forwarded(): ForwardedPort[]
  /** All ports that are kept for somebody, also where nothing runs. */
  promised(): HostPort[]
  /** Throws already-exists where a container wants one of these ports for itself. */
  checkPublished(ports: HostPort[]): void
  /** A container is connected, or not any more: ports lead to those that are. */
  follow(container: string): Promise<void>
}

interface HostPort {
  hostAddress: string
  protocol: 'tcp' | 'udp'
  hostPort: number
}

export interface ForwardsParts {
  rows: ForwardRows
  records: Records
  spawner: Spawner
  firewall: FirewallTables
  flows: Flows
  /** Name of the firewall's tables. */
  table: string
}

const everywhere = '0.0.0.0'
const keyOf = ({ protocol, hostPort }: Pick<Forward, 'protocol' | 'hostPort'>) => `${protocol}/${hostPort}`
const onHost = ({ protocol, hostPort }: Pick<Forward, 'protocol' | 'hostPort'>): HostPort => ({
  ...{ hostAddress: everywhere, protocol, hostPort },
})

export function createForwards(parts: ForwardsParts): Forwards {
  const { rows, records, spawner, firewall, flows, table } = parts
  let last: Promise<unknown> = Promise.resolve()
  /** What the firewall was told last. */
  let told: ForwardedPort[] = []

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }

  const placeOf = (container: string) =>
    records.places.ofContainer(container).find((place) => place.position === 0 && records.isConnected(place))

  function portOf({ protocol, hostPort, targets, sources = [] }: Forward): ForwardedPort {
    const found = targets.flatMap(({ container, containerPort }) => {
      const place = placeOf(container)
      return place === undefined ? [] : [{ address: records.addressOf(place), port: containerPort }]
    })
    return { protocol, hostPort, sources, targets: found }
  }

  const forwarded = () =>
    rows
      .all()
      .map(portOf)
      .filter(({ targets }) => targets.length > 0)

  /** Throws already-exists where another than these forwards has the port. */
  async function checkFree(port: HostPort): Promise<void> {
    for (const place of records.places.all())
      if (place.ports.some((other) => collide(port, other)))
        throw new EngineError(
          'already-exists',
          `cannot forward ${describePort(port)}: container ${place.container} has it. Choose another port, or remove that container`,
        )
    await claimHostPort({ ...port, containerPort: port.hostPort })
    await checkOtherEngines(spawner, table, [{ ...port, containerPort: port.hostPort }])
  }

  /** Where the firewall leads differs from what it was told: in one step, and what it leaves behind is seen to. */
  async function tell(promised: HostPort[] = [], freed: HostPort[] = []): Promise<void> {
    const before = told
    const now = forwarded()
    if (promised.length + freed.length === 0 && isDeepStrictEqual(before, now)) return
    await lead(now)
    await firewall.change(forwardChange(table, { forwarded: now, promised, freed }))
    told = now
    const begun = now.filter((port) => !before.some((other) => keyOf(other) === keyOf(port)))
    await flows.forgetUnled(begun)
    const connected = new Set(records.connected().map(records.addressOf))
    for (const port of before) {
      const left = now.find((other) => keyOf(other) === keyOf(port))?.targets ?? []
      for (const target of port.targets.filter(
        (each) => !left.some((other) => isDeepStrictEqual(each, other)),
      ))
        if (!connected.has(target.address)) await flows.forgetTo(target.address)
        else if (port.protocol === 'udp') await flows.forgetUdpTo(target.address, target.port)
    }
  }

  /** As with a port of its own (connections.ts): by loopback, and from the container to itself. */
  async function lead(ports: ForwardedPort[]): Promise<void> {
    const addresses = new Set(ports.flatMap(({ targets }) => targets.map(({ address }) => address)))
    const known = new Set(told.flatMap(({ targets }) => targets.map(({ address }) => address)))
    const places = records
      .connected()
      .filter((place) => addresses.has(records.addressOf(place)) && !known.has(records.addressOf(place)))
    for (const place of places) {
      const { bridge } = records.networkOf(place.network)
      writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1')
      await spawner.run([
        ...['ip', 'link', 'set', 'dev', records.linkOf(place), 'type', 'bridge_slave', 'hairpin', 'on'],
      ])
    }
  }

  const leads = (forward: Forward) => portOf(forward).targets.length > 0

  async function replace(
    forwards: Forward[],
    before: ReadonlyMap<string, Forward>,
    isAsked: (forward: Forward) => boolean,
  ): Promise<RefusedForward[]> {
    const made = new Map<string, Required<Forward>>()
    const refused: RefusedForward[] = []
    for (const forward of forwards) {
      try {
        checkForward(forward)
        if (made.has(keyOf(forward)))
          throw new EngineError('invalid', `${describePort(onHost(forward))} is forwarded twice`)
        if (isAsked(forward)) await checkFree(onHost(forward))
        made.set(keyOf(forward), { ...forward, sources: forward.sources ?? [] })
      } catch (error) {
        if (!isEngineError(error)) throw error
        const { protocol, hostPort } = forward
        refused.push({ protocol, hostPort, kind: error.kind, message: error.message })
      }
    }
    const list = [...made.values()]
    if (!isDeepStrictEqual(list, [...before.values()])) rows.replace(list)
    await tell(
      list.filter((each) => !before.has(keyOf(each))).map(onHost),
      [...before.values()].filter((each) => !made.has(keyOf(each))).map(onHost),
    )
    return refused
  }

  return {
    forwarded,
    promised: () => rows.all().map(onHost),
    checkPublished(ports) {
      for (const forward of rows.all())
        for (const port of ports)
          if (collide(port, onHost(forward)))
            throw new EngineError(
              'already-exists',
              `cannot publish ${describePort(port)}: it is forwarded to other containers. Choose another port, or end that first`,
            )
    },
    checkFree: (port) => inTurn(() => checkUnlessOwn(port)),
    forward: (forwards) =>
      inTurn(async () => {
        const before = new Map(rows.all().map((forward) => [keyOf(forward), forward]))
        // One that leads somewhere is in force: nobody else has come to listen there with any effect. One that is kept
        // and leads nowhere need not be asked for.
        const isAsked = (forward: Forward) => {
          const known = before.get(keyOf(forward))
          return known === undefined || (!leads(known) && leads(forward))
        }
        const make = () => replace(forwards, before, isAsked)
        return forwards.some(isAsked) ? withHostLock(make) : make()
      }),
    follow: (container) =>
      inTurn(async () => {
        if (rows.all().some(({ targets }) => targets.some((target) => target.container === container)))
          await tell()
      }),
    async forwardedConnections(containers) {
      let open = 0
      for (const container of containers) {
        const place = placeOf(container)
        if (place !== undefined) open += await flows.countTo(records.addressOf(place))
      }
      return open
    },
  }

  async function checkUnlessOwn({ protocol, hostPort }: Pick<Forward, 'protocol' | 'hostPort'>) {
    checkForward({ protocol, hostPort, targets: [] })
    const own = rows.all().find((forward) => keyOf(forward) === keyOf({ protocol, hostPort }))
    if (own === undefined || !leads(own)) await checkFree(onHost({ protocol, hostPort }))
  }
}

/** Throws invalid. */
function checkForward({ protocol, hostPort, targets, sources = [] }: Forward): void {
  const ports = targets.length === 0 ? [hostPort] : targets.map(({ containerPort }) => containerPort)
  for (const containerPort of ports)
    checkPublishedPorts([{ protocol, hostPort, containerPort, hostAddress: everywhere }])
  for (const source of sources) parseRange(source)
}
