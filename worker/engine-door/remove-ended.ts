/** `run -d --rm`: containers of the operator that go when they have ended, also while nobody was here to see it. */
import { isEngineError } from '../../engine/index.ts'
import type { Host } from '../host.ts'

export const removedWhenEnded = { 'berth.operator.remove': 'when-ended' }

/** Until the signal. Never throws. */
export async function removeEnded(host: Host, signal: AbortSignal): Promise<void> {
  const { containers } = host.engine
  const remove = async (id: string) => {
    try {
      await containers.remove(id)
    } catch (error) {
      // Somebody has started it again.
      if (isEngineError(error, 'failed-precondition')) return
      host.log.warn({ container: id, err: error }, 'a container that has ended is not removed')
    }
  }
  try {
    // The events first, so that no end falls between them and the list.
    const events = containers.events({ signal })
    for (const { id, status } of await containers.list({ labels: removedWhenEnded }))
      if (status === 'exited') await remove(id)
    for await (const { type, container } of events)
      if (type === 'exited' && isOne(container.labels)) await remove(container.id)
  } catch (error) {
    if (!signal.aborted) host.log.warn({ err: error }, 'containers that have ended are not removed any more')
  }
}

function isOne(labels: Record<string, string>): boolean {
  return Object.entries(removedWhenEnded).every(([name, value]) => labels[name] === value)
}
