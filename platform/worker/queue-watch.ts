import type { Platform } from '../open.ts'
import { isAway } from '../redis-away.ts'

/** Notices that Redis lost what it had, jobs included, by a mark that is gone. */
export interface QueueWatch {
  /** True once for each loss. Never throws, and false while Redis is away. */
  wasLost(): Promise<boolean>
}

export function watchQueue(platform: Platform, hostId: string): QueueWatch {
  const mark = `berth:queue:${hostId}:mark`
  let wasMarked = false
  return {
    async wasLost() {
      if (isAway(platform.redis)) return false
      const before = await platform.redis.set(mark, '1', 'GET').catch(() => undefined)
      if (before === undefined) return false
      const isLost = wasMarked && before === null
      wasMarked = true
      return isLost
    },
  }
}
