/** Containers on more networks than that of their spec, and off it: also while they run. */
import { EngineError } from '../errors.ts'
import type { KeyedLock } from '../state/keyed-lock.ts'
import { type Connections, placeOn } from './connections.ts'
import type { Networks } from './networks.ts'
import type { Records } from './records.ts'
import type { Resolvers } from './resolvers.ts'

export interface AttachmentParts {
  records: Records
  connections: Connections
  resolvers: Resolvers
  lockNetwork: KeyedLock
  lockContainer: KeyedLock
}

export function createAttachments(parts: AttachmentParts): Pick<Networks, 'attach' | 'detach'> {
  const { records, connections, resolvers, lockNetwork, lockContainer } = parts
  const { places, running } = records
  return {
    attach: (container, network, { aliases = [] } = {}) =>
      lockContainer(container, async () => {
        const [first] = places.ofContainer(container)
        if (!first) throw new EngineError('not-found', `there is no container ${container}`)
        const names = [...new Set([...first.names.slice(0, 1), ...aliases])]
        const known = places.find(container, network)
        if (known?.attached) return records.attachmentOf(known)
        return resolvers.around(container, async () => {
          if (known) {
            places.setAttached(known.seq, true)
            if (aliases.length > 0) places.setNames(known.seq, names)
          } else {
            await lockNetwork(network, async () =>
              connections.insert({ container, network, names, ports: [], bandwidth: first.bandwidth }),
            )
          }
          const place = placeOn(places, container, network)
          const pid = running.get(container)
          if (pid !== undefined) await connections.connect(place, pid)
          return records.attachmentOf(place)
        })
      }),
    detach: (container, network) =>
      lockContainer(container, async () => {
        const place = places.find(container, network)
        if (!place?.attached) return
        await resolvers.around(container, async () => {
          places.setAttached(place.seq, false)
          await connections.disconnect(place)
          if (place.position > 0) await connections.release(place)
        })
      }),
  }
}
