/** The networks themselves: made, changed, told of and removed. */
import { EngineError } from '../errors.ts'
import type { KeyedLock } from '../state/keyed-lock.ts'
import { checkEgress } from './egress.ts'
import type { NameServers } from './names.ts'
import type { Networks } from './networks.ts'
import type { OnHost } from './on-host.ts'
import type { Records } from './records.ts'

export interface NetworkLifeParts {
  records: Records
  onHost: OnHost
  nameServers: NameServers
  lockNetwork: KeyedLock
}

type NetworkLife = Pick<Networks, 'create' | 'ensure' | 'update' | 'inspect' | 'list' | 'remove'>

export function createNetworkLife({
  records,
  onHost,
  nameServers,
  lockNetwork,
}: NetworkLifeParts): NetworkLife {
  const { bridges, places, networkOf } = records
  return {
    async create(name, { egress = 'all', signal } = {}) {
      signal?.throwIfAborted()
      checkName(name)
      checkEgress(egress)
      return lockNetwork(name, async () => {
        if (bridges.find(name)) throw new EngineError('already-exists', `there is a network ${name} already`)
        bridges.record(name, egress)
        return onHost.raise(name).catch((error) => {
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
        return onHost.raise(name)
      })
    },
    async update(name, { egress }) {
      if (egress !== undefined) checkEgress(egress)
      return lockNetwork(name, async () => {
        const network = networkOf(name)
        if (egress === undefined) return network
        bridges.record(name, egress)
        await onHost.loadFirewall()
        if (bridges.isUp(network.bridge)) await nameServers.keepAlive(onHost.serverOf(networkOf(name)))
        return networkOf(name)
      })
    },
    async inspect(name) {
      return { ...networkOf(name), attachments: places.ofNetwork(name).map(records.attachmentOf) }
    },
    list: async () => bridges.list(),
    remove: (name) =>
      lockNetwork(name, async () => {
        const [used] = places.ofNetwork(name)
        if (used)
          throw new EngineError(
            'failed-precondition',
            `network ${name} is used by container ${used.container}`,
          )
        await onHost.remove(name)
      }),
  }
}

function checkName(name: string): void {
  if (!/^[a-z0-9_-]{1,64}$/.test(name))
    throw new EngineError('invalid', `${name} is no name for a network: 1–64 of a-z 0-9 _ -`)
}
