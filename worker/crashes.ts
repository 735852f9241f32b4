import type { Container, ContainerEvent } from '../engine/index.ts'
import { rollBackAutomatically } from '../platform/auto-rollback.ts'
import { emitAppEvent } from '../platform/timeline.ts'
import { type LiveContainer, liveContainer } from '../platform/worker/live-containers.ts'
import { isTask } from './container-spec.ts'
import { endOf } from './failure.ts'
import type { Host } from './host.ts'

/** So many ends within this time are a crash loop. The engine's growing delays reach a minute: five fit. */
const loopAfter = 5
const withinMs = 5 * 60_000

/** Notices when what is live ends again and again, tells it once, and goes back if the app asks for it. */
export interface CrashWatch {
  /** Call it with everything that the engine tells, in its order. Never throws. */
  saw(event: ContainerEvent): Promise<void>
}

export function createCrashWatch(host: Host): CrashWatch {
  const { platform, log } = host
  /** Of each process of a deployment. */
  const ends = new Map<string, number[]>()
  /** Of which it was said. */
  const told = new Set<string>()

  async function ended(live: LiveContainer, container: Container): Promise<void> {
    const { appId, deploymentId, process, replica } = live
    const key = `${deploymentId} ${process}`
    const now = Date.now()
    const recent = [...(ends.get(key) ?? []), now].filter((at) => now - at < withinMs)
    ends.set(key, recent)
    if (recent.length < loopAfter) {
      told.delete(key)
      return
    }
    if (told.has(key)) return
    told.add(key)
    log.warn({ deployment: deploymentId, container: container.id }, 'a live deployment crashes in a loop')
    const { exitCode, signal } = endOf(container).end
    await emitAppEvent(platform, appId, {
      kind: 'container.crash-looping',
      ...{ containerId: container.id, deploymentId, process, replica },
      ...{ exitCode, signal, exits: recent.length, withinMs },
    })
    const rollback = await rollBackAutomatically(platform, deploymentId)
    if (rollback !== null) log.warn({ deployment: rollback.id }, 'it is rolled back, as its app asks for')
  }

  /** What nobody has heard of for long is no loop. */
  function forget(): void {
    for (const [key, times] of ends) {
      if (Date.now() - (times.at(-1) ?? 0) < withinMs) continue
      ends.delete(key)
      told.delete(key)
    }
  }

  return {
    async saw({ type, container }) {
      try {
        forget()
        if (isTask(container) || host.ending.has(container.id)) return
        if (type !== 'exited') return
        const live = await liveContainer(platform, container.id)
        if (live !== null) await ended(live, container)
      } catch (error) {
        log.warn({ err: error, container: container.id }, 'what became of a container could not be told')
      }
    },
  }
}
