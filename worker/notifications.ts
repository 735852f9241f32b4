import { DelayedError, Worker } from 'bullmq'
import { attempt, channelOf, type DeliveryOptions, dueDeliveries } from '../platform/notifications/deliver.ts'
import { deliveryQueue, hurryDeliveries } from '../platform/notifications/queue.ts'
import type { Platform } from '../platform/open.ts'

const concurrency = 30
/** Of one channel: a receiver that answers slowly leaves the others their places. */
const concurrentOfChannel = 3
const crowdedMs = 300
const roundEveryMs = 15_000

export interface RunningDeliveries {
  stop(): Promise<void>
}

/** Sends what waits: from the queue, and what the queue lost. One that is not done yet comes back when it is due. */
export function serveDeliveries(platform: Platform, options: DeliveryOptions = {}): RunningDeliveries {
  const stopping = new AbortController()
  const busy = new Map<string, number>()

  const worker = new Worker(
    deliveryQueue,
    async (job, token) => {
      const id = String(job.data.deliveryId)
      const channelId = await channelOf(platform, id)
      if (channelId === null) return
      const count = busy.get(channelId) ?? 0
      let againInMs: number | null = crowdedMs
      if (count < concurrentOfChannel) {
        busy.set(channelId, count + 1)
        try {
          againInMs = await attempt(platform, id, stopping.signal, options)
        } finally {
          const left = (busy.get(channelId) ?? 1) - 1
          if (left > 0) busy.set(channelId, left)
          else busy.delete(channelId)
        }
      }
      if (againInMs === null) return
      await job.moveToDelayed(Date.now() + againInMs, token)
      throw new DelayedError()
    },
    {
      connection: { ...platform.config.redis, maxRetriesPerRequest: null },
      concurrency,
      stalledInterval: 5_000,
      maxStalledCount: 1_000,
    },
  )
  worker.on('error', (error) =>
    platform.log.debug({ err: error }, 'the queue of notifications does not answer'),
  )

  async function lookAround(): Promise<void> {
    try {
      await hurryDeliveries(platform, await dueDeliveries(platform))
    } catch (error) {
      platform.log.warn({ err: error }, 'notifications that wait could not be looked for; it is tried again')
    }
  }
  void lookAround()
  const timer = setInterval(lookAround, options.roundEveryMs ?? roundEveryMs)

  return {
    async stop() {
      clearInterval(timer)
      stopping.abort()
      await worker.close()
    },
  }
}
