/** What outlives us on the host can be ended by others: looks every 2 s, and mends it. */
import type { KeyedLock } from '../state/keyed-lock.ts'
import type { FirewallTables } from './firewall-tables.ts'
import type { OnHost } from './on-host.ts'
import type { Records } from './records.ts'
import type { Resolvers } from './resolvers.ts'

const checkMs = 2_000

export interface KeepUpParts {
  /** Whether the firewall was told of other routes than the host has now. */
  isOutdated: () => boolean
  records: Records
  firewall: FirewallTables
  onHost: OnHost
  resolvers: Resolvers
  lockNetwork: KeyedLock
  lockContainer: KeyedLock
  log: (message: string, error: unknown) => void
}

/** Returns how to end it; what it was at is done then. */
export function keepUp(parts: KeepUpParts): () => Promise<void> {
  let checking = Promise.resolve()
  const timer = setInterval(() => {
    checking = checking.then(() => mend(parts))
  }, checkMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await checking
  }
}

async function mend(parts: KeepUpParts): Promise<void> {
  const { records, onHost, resolvers, lockNetwork, lockContainer, log } = parts
  const { bridges, running } = records
  const networks = bridges.list()
  if (networks.length === 0) return
  await mendFirewall(parts)
  await onHost.passOthers()
  const used = new Set(records.connected().map(({ network }) => network))
  for (const { name, bridge } of networks)
    await lockNetwork(name, async () => {
      if (bridges.find(name) && (bridges.isUp(bridge) || used.has(name))) await onHost.raise(name)
    }).catch((error) => log(`network ${name} cannot be mended`, error))
  for (const container of [...running.keys()])
    await lockContainer(container, () => resolvers.keepAlive(container)).catch((error) =>
      log(`the name server of container ${container} cannot be mended`, error),
    )
}

async function mendFirewall({ firewall, isOutdated, log }: KeepUpParts): Promise<void> {
  try {
    const areThere = await firewall.areThere()
    if (areThere && !isOutdated()) return
    await firewall.load()
    if (!areThere) log('the firewall was gone and is made again', null)
  } catch (error) {
    log('the firewall is gone and cannot be made again', error)
  }
}
