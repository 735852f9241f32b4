import { queueMark } from '../jobs.ts'
import type { Platform } from '../open.ts'
import { isAway } from '../redis-away.ts'

/** Notices that Redis lost what it had, jobs included, by a mark that is gone: whoever queues a job leaves one. */
export interface QueueWatch {
  /** True once for each loss, and before the first job ever. Never throws, and false while Redis is away. */
  wasLost(): Promise<boolean>
}

export function watchQueue(platform: Platform, hostId: string): QueueWatch {
  const mark = queueMark(hostId)
  return {
    async wasLost() {
      if (isAway(platform.redis)) return false
      const before = await platform.redis.set(mark, '1', 'GET').catch(() => undefined)
      return before === null
    },
  }
}
