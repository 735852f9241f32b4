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
  /** Waits until all that a container which has ended wrote is kept, or `limitMs`: call it before it is removed. */
  finish(containerId: string, limitMs?: number): Promise<void>
  /** Stops reading; what was read is delivered. */
  close(): Promise<void>
}

const retryMs = 1_000
const finishWithinMs = 10_000
const finishLookMs = 20

export function createLogCollector(options: {
  platform: Platform
  containers: Containers
  store: LogStore
  log: Logger
}): LogCollector {
  const { platform, containers, store, log } = options
  const followed = new Map<string, Promise<void>>()
  /** Cursors after which nothing is kept yet, by container. */
  const reached = new Map<string, string | null>()
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
        reached.set(container.id, after ?? null)
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

  /** Where its last line ends; null: it wrote none, or is gone. */
  async function endOf(containerId: string): Promise<number | null> {
    try {
      let end: number | null = null
      for await (const { cursor } of containers.logs(containerId, { tail: 1 })) end = placeOf(cursor)
      return end
    } catch (error) {
      if (isEngineError(error, 'not-found')) return null
      throw error
    }
  }

  async function deliver(appId: string, source: LogSource, batch: LogLine[]): Promise<void> {
    const last = batch.at(-1)
    if (last === undefined) return
    const lines = batch.map(({ time, stream, text }) => ({ time, stream, text }))
    const first = await store.append(appId, source, lines, last.cursor)
    reached.set(source.containerId, last.cursor)
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
        .finally(() => {
          followed.delete(name)
          reached.delete(container.id)
        })
      reached.set(container.id, null)
      followed.set(name, done)
    },
    async finish(containerId, limitMs = finishWithinMs) {
      const end = await endOf(containerId)
      const limit = Date.now() + limitMs
      while (end !== null && !signal.aborted && Date.now() < limit) {
        const cursor = reached.get(containerId)
        if (cursor === undefined || (cursor !== null && placeOf(cursor) >= end)) return
        await sleep(finishLookMs)
      }
      if (end !== null && !signal.aborted)
        log.warn({ container: containerId }, 'a container goes before all that it wrote could be kept')
    },
    async close() {
      closing.abort()
      await Promise.all(followed.values())
    },
  }
}

/** A cursor says from where to read again, and where the line ends. */
function placeOf(cursor: string): number {
  return Number(cursor.split('.')[1])
}
