import { setTimeout as sleep } from 'node:timers/promises'
import type { Container, Containers, LogLine } from '../../engine/index.ts'
import { isEngineError } from '../../engine/index.ts'
import type { Logger } from '../../platform/log.ts'
import type { Platform } from '../../platform/open.ts'
import { appendLogLines, logCursor } from '../../platform/worker/log-lines.ts'
import { labels, slotOf } from '../container-spec.ts'
import { inBatches } from './batches.ts'

/** Carries what containers write to where people read it, from where an earlier worker stopped. */
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
  log: Logger
}): LogCollector {
  const { platform, containers, log } = options
  const followed = new Map<string, Promise<void>>()
  const closing = new AbortController()
  const signal = closing.signal

  async function followOne(container: Container, source: string): Promise<void> {
    const { [labels.app]: appId, [labels.deployment]: deploymentId } = container.labels
    if (appId === undefined || deploymentId === undefined) return
    const from = { containerId: container.id, deploymentId, ...slotOf(container) }
    while (!signal.aborted) {
      const attempt = new AbortController()
      try {
        const after = (await logCursor(platform, source)) ?? undefined
        const lines = containers.logs(container.id, {
          follow: true,
          after,
          signal: AbortSignal.any([signal, attempt.signal]),
        })
        for await (const batch of inBatches(lines, { maxItems: 500, maxWaitMs: 20 }))
          await deliver(appId, from, batch, source)
        return
      } catch (error) {
        if (isEngineError(error, 'not-found')) return
        log.warn({ err: error, container: container.id }, 'a log is not followed for a moment')
        await sleep(retryMs, undefined, { signal }).catch(() => undefined)
      } finally {
        attempt.abort()
      }
    }
  }

  async function deliver(
    appId: string,
    from: { containerId: string; deploymentId: string; process: string; replica: number },
    batch: LogLine[],
    source: string,
  ): Promise<void> {
    const last = batch.at(-1)
    if (last === undefined) return
    const lines = batch.map(({ time, stream, text }) => ({ time, stream, text, ...from }))
    await appendLogLines(platform, appId, lines, { source, cursor: last.cursor })
  }

  return {
    follow(container) {
      // The id may be used again by a later container, whose log begins anew.
      const source = `${container.id}@${container.createdAt}`
      if (followed.has(source) || signal.aborted) return
      const done = followOne(container, source)
        .catch((error) =>
          log.error({ err: error, container: container.id }, 'a log is not followed any more'),
        )
        .finally(() => followed.delete(source))
      followed.set(source, done)
    },
    async close() {
      closing.abort()
      await Promise.all(followed.values())
    },
  }
}
