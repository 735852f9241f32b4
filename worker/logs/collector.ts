import { setTimeout as sleep } from 'node:timers/promises'
import type { Container, Containers, LogLine } from '../../engine/index.ts'
import { isEngineError } from '../../engine/index.ts'
import type { Logger } from '../../platform/log.ts'
import type { Platform } from '../../platform/open.ts'
import { publishLogLines } from '../../platform/worker/log-lines.ts'
import { labels, writerOf } from '../container-spec.ts'
import { inBatches } from './batches.ts'
import type { LogSource, LogStore } from './store/log-store.ts'

/** Carries what containers write to where it is kept and read, from where an earlier worker stopped. */
export interface LogCollector {
  /** Until the container is removed. Asking again for one that is followed changes nothing. */
  follow(container: Container): void
  /** Stops reading; what was read is delivered. */
  close(): Promise<void>
}

const retryMs = 1_000

export function createLogCollector(options: {
  platform: Platform
  containers: Containers
  store: LogStore
  log: Logger
}): LogCollector {
  const { platform, containers, store, log } = options
  const followed = new Map<string, Promise<void>>()
  const closing = new AbortController()
  const signal = closing.signal

  async function followOne(container: Container, name: string): Promise<void> {
    const { [labels.app]: appId, [labels.deployment]: deploymentId } = container.labels
    if (appId === undefined || deploymentId === undefined) return
    const source = { name, containerId: container.id, deploymentId, ...writerOf(container) }
    while (!signal.aborted) {
      const attempt = new AbortController()
      try {
        const after = (await store.position(appId, name)) ?? undefined
        const lines = containers.logs(container.id, {
          follow: true,
          after,
          signal: AbortSignal.any([signal, attempt.signal]),
        })
        for await (const batch of inBatches(lines, { maxItems: 500, maxWaitMs: 20 }))
          await deliver(appId, source, batch)
        if (!signal.aborted) await store.end(appId, name)
        return
      } catch (error) {
        if (isEngineError(error, 'not-found')) return await store.end(appId, name)
        log.warn({ err: error, container: container.id }, 'a log is not followed for a moment')
        await sleep(retryMs, undefined, { signal }).catch(() => undefined)
      } finally {
        attempt.abort()
      }
    }
  }

  async function deliver(appId: string, source: LogSource, batch: LogLine[]): Promise<void> {
    const last = batch.at(-1)
    if (last === undefined) return
    const lines = batch.map(({ time, stream, text }) => ({ time, stream, text }))
    const first = await store.append(appId, source, lines, last.cursor)
    // Called at once for each answer of the store, so that those who follow get them in their order.
    const { name: _, ...from } = source
    const shown = lines.map((line, index) => ({ ...line, ...from, number: first + index }))
    await publishLogLines(platform, appId, shown)
  }

  return {
    follow(container) {
      // The id may be used again by a later container, whose log begins anew.
      const name = `${container.id}@${container.createdAt}`
      if (followed.has(name) || signal.aborted) return
      const done = followOne(container, name)
        .catch((error) =>
          log.error({ err: error, container: container.id }, 'a log is not followed any more'),
        )
        .finally(() => followed.delete(name))
      followed.set(name, done)
    },
    async close() {
      closing.abort()
      await Promise.all(followed.values())
    },
  }
}
