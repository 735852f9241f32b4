import type { Platform } from '../open.ts'
import { isAway } from '../redis-away.ts'

/** A queue of its own: receivers that are slow or away hold up nothing else, and any worker of any host serves it. */
export const deliveryQueue = 'berth-notifications'

/**
 * Has them sent now rather than at a worker's next round. Call it after the transaction that wrote them. Never throws:
 * they are in the database, and found there.
 */
export async function hurryDeliveries(platform: Platform, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  if (isAway(platform.redis)) {
    platform.log.warn({ deliveries: ids.length }, 'notifications are not queued: redis is away')
    return
  }
  // Both must go at once: as long as a job with an id is there, another with the same id is not taken in.
  const options = { removeOnComplete: true, removeOnFail: true }
  const added = platform.queues
    .named(deliveryQueue)
    .addBulk(
      ids.map((id) => ({ name: 'deliver', data: { deliveryId: id }, opts: { ...options, jobId: id } })),
    )
  await Promise.race([added, giveUp()]).catch((error) =>
    platform.log.warn({ err: error }, 'notifications could not be queued; they are found later'),
  )
}

function giveUp(): Promise<never> {
  const limit = AbortSignal.timeout(3_000)
  return new Promise((_, reject) =>
    limit.addEventListener('abort', () => reject(new Error('no answer within 3 s'))),
  )
}
