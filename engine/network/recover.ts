/** A new engine on an old state: the host is made to agree with what is recorded and still runs. */
import type { KeyedLock } from '../state/keyed-lock.ts'
import type { Spawner } from '../sys/spawner.ts'
import type { Flows } from './flows.ts'
import type { NameServers } from './names.ts'
import type { OnHost } from './on-host.ts'
import type { Records } from './records.ts'
import type { Resolvers } from './resolvers.ts'

export interface RecoverParts {
  records: Records
  spawner: Spawner
  nameServers: NameServers
  flows: Flows
  onHost: OnHost
  resolvers: Resolvers
  lockNetwork: KeyedLock
}

/** @param connected container → process: these run, and nothing else of ours is to be on the host */
export async function recoverNetworks(
  { records, spawner, nameServers, flows, onHost, resolvers, lockNetwork }: RecoverParts,
  connected: ReadonlyMap<string, number>,
): Promise<void> {
  const { bridges, places, running } = records
  bridges.forgetUnraised()
  for (const [container, pid] of connected) running.set(container, pid)
  const used = records.connected()
  const links = new Set(used.map(records.linkOf))
  const names = new Set(used.map(({ network }) => network))
  const servers = resolvers.servers().map(({ server }) => server)
  const kept = new Set([
    ...[...names].map((name) => records.networkOf(name).bridge),
    ...servers.map(({ key }) => key),
  ])
  for (const link of bridges.linksOnHost('container'))
    if (!links.has(link)) await spawner.run(['ip', 'link', 'delete', link])
  for (const key of await nameServers.list()) if (!kept.has(key)) await nameServers.stop(key)
  for (const bridge of bridges.linksOnHost('bridge')) if (!kept.has(bridge)) await bridges.lower(bridge)
  await onHost.loadFirewall()
  // Of those that ended while no engine ran.
  for (const place of places.all())
    if (place.ports.length > 0 && !records.isConnected(place)) await flows.forgetTo(records.addressOf(place))
  for (const name of names)
    await lockNetwork(name, async () => {
      await onHost.raise(name)
      await onHost.publishNames(name)
    })
  for (const server of servers) await nameServers.keepAlive(server)
}
