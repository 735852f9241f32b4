import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'

/** How guesses are slowed down: after some free ones each has to wait twice as long as the one before. */
export interface LockOut {
  /** Such as password:pair. */
  name: string
  /** Wrong ones that cost no time. */
  free: number
  firstSeconds: number
  mostSeconds: number
}

/** Wrong guesses are remembered for this long after the last one. */
const memorySeconds = 86_400

// Counts before the guess is looked at, in one step: many at once get no more guesses than one after the other.
const script = `
local wait = redis.call('TTL', KEYS[2])
if wait >= 0 then return math.max(wait, 1) end
local count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
local over = count - tonumber(ARGV[1])
if over >= 0 then
  local seconds = math.min(tonumber(ARGV[2]) * 2 ^ math.min(over, 20), tonumber(ARGV[3]))
  redis.call('SET', KEYS[2], '1', 'EX', seconds)
end
return 0`

/**
 * Counts one guess. Throws `rate-limited` while the subject has to wait; what is refused so is not counted, so hammering
 * makes nothing longer. Throws `unavailable` where it can't count: guessing stays impossible.
 */
export async function takeGuess(platform: Platform, lockOut: LockOut, subject: string): Promise<void> {
  const { free, firstSeconds, mostSeconds } = lockOut
  const keys = keysOf(lockOut, subject)
  const wait = await platform.redis
    .eval(script, keys.length, ...keys, free, firstSeconds, mostSeconds, memorySeconds)
    .catch((cause: unknown) => {
      throw new PlatformError('unavailable', 'Attempts can not be counted now. Try again in a minute.', {
        cause,
      })
    })
  const retryAfterSeconds = Number(wait)
  if (retryAfterSeconds === 0) return
  const minutes = Math.ceil(retryAfterSeconds / 60)
  throw new PlatformError(
    'rate-limited',
    `Too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
    { retryAfterSeconds },
  )
}

/** After a right one. */
export async function forgetGuesses(platform: Platform, lockOut: LockOut, subject: string): Promise<void> {
  await platform.redis.del(...keysOf(lockOut, subject))
}

function keysOf({ name }: LockOut, subject: string): [count: string, wait: string] {
  // Braces: both live on one node of a Redis cluster, as a script wants.
  const base = `berth:guess:{${name}:${subject}}`
  return [`${base}:count`, `${base}:wait`]
}
