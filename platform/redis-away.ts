import type { Redis } from 'ioredis'

/** It was there, or was tried, and is being connected to again: asking now would only wait. */
export function isAway(redis: Redis): boolean {
  return redis.status === 'reconnecting' || redis.status === 'close' || redis.status === 'end'
}
