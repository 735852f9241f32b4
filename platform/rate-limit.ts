import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'

export interface RateLimit {
  /** Such as sign-in:email. */
  name: string
  limit: number
  windowSeconds: number
}

/**
 * Counts one attempt. Throws `rate-limited` above the limit, with the time to wait. The window begins with the first
 * attempt and is not made longer by further ones. Throws `unavailable` where it can't count: guessing stays impossible.
 */
export async function countAttempt(platform: Platform, rate: RateLimit, subject: string): Promise<void> {
  const key = keyOf(rate, subject)
  const counting = platform.redis.multi().incr(key).expire(key, rate.windowSeconds, 'NX').ttl(key).exec()
  const results = await counting.catch((cause: unknown) => {
    throw new PlatformError('unavailable', 'Attempts can not be counted now. Try again in a minute.', {
      cause,
    })
  })
  const count = Number(results?.[0]?.[1] ?? 0)
  if (count <= rate.limit) return
  const retryAfterSeconds = Math.max(1, Number(results?.[2]?.[1] ?? 60))
  const minutes = Math.ceil(retryAfterSeconds / 60)
  const wait = minutes === 1 ? 'a minute' : `${minutes} minutes`
  throw new PlatformError('rate-limited', `Too many attempts. Try again in ${wait}.`, { retryAfterSeconds })
}

export async function forgetAttempts(platform: Platform, rate: RateLimit, subject: string): Promise<void> {
  await platform.redis.del(keyOf(rate, subject))
}

/** Takes one attempt back that turned out to be a right one. */
export async function giveBackAttempt(platform: Platform, rate: RateLimit, subject: string): Promise<void> {
  await platform.redis.decr(keyOf(rate, subject))
}

function keyOf(rate: RateLimit, subject: string): string {
  return `berth:rate:${rate.name}:${subject}`
}
