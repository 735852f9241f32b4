import { setTimeout as sleep } from 'node:timers/promises'
import { type ContainerEvent, isEngineError } from '../engine/index.ts'
import {
  keepTimelineCursor,
  tellOfEnd,
  tellOfRestart,
  timelineCursor,
} from '../platform/worker/container-events.ts'
import { isTask, labels, slotOf } from './container-spec.ts'
import { endOf } from './failure.ts'
import type { Host } from './host.ts'

/**
 * Tells the apps' timelines what the engine tells of their containers, until the signal. It goes on where the last
 * worker was, so what happened while there was none is told too; an event that can't be written down is tried again
 * before the next one.
 */
export async function followContainers(host: Host, signal: AbortSignal): Promise<void> {
  let after = await timelineCursor(host.platform)
  while (!signal.aborted) {
    try {
      for await (const event of host.engine.containers.events({ after, signal })) {
        await tell(host, event)
        after = event.cursor
        await keepTimelineCursor(host.platform, after)
      }
    } catch (error) {
      // So much happened meanwhile that it is kept no more, or the engine's state is a new one.
      if (isEngineError(error, 'not-found') || isEngineError(error, 'invalid')) after = undefined
      host.log.warn({ err: error }, 'what happened to a container could not be told; it is tried again')
      await sleep(2_000, undefined, { signal }).catch(() => undefined)
    }
  }
}

async function tell(host: Host, { type, at, container }: ContainerEvent): Promise<void> {
  const { id, restarts, startedAt } = container
  const appId = container.labels[labels.app]
  const deploymentId = container.labels[labels.deployment]
  if (appId === undefined || deploymentId === undefined || isTask(container)) return
  const change = { id, appId, deploymentId, ...slotOf(container), restarts, startedAt, at: new Date(at) }
  if (type === 'exited') await tellOfEnd(host.platform, { ...change, ...endOf(container).end })
  if (type === 'started') await tellOfRestart(host.platform, change)
}
