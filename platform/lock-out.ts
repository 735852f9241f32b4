import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
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

/** A guess that is looked at for longer was cut off with its process. */
const lookedAtSeconds = 30

/** How long a guess waits for others to be looked at, which may turn out right. */
const mostQueuedMs = 15_000

// Counts before the guess is looked at, in one step: many at once get no more guesses than one after the other. While
// others are looked at, nobody is refused: a right one among them lifts the wait, and so right ones can come at once.
const script = `
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local pending = redis.call('ZCARD', KEYS[3])
local wait = redis.call('TTL', KEYS[2])
if pending >= tonumber(ARGV[1]) or (wait >= 0 and pending > 0) then return -1 end
if wait >= 0 then return math.max(wait, 1) end
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[6]), ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[6])
local count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
local over = count - tonumber(ARGV[1])
if over >= 0 then
  local seconds = math.min(tonumber(ARGV[2]) * 2 ^ math.min(over, 20), tonumber(ARGV[3]))
  redis.call('SET', KEYS[2], '1', 'EX', seconds)
end
return 0`

export interface Guess {
  /** What was counted for it, and for wrong ones before it, is forgotten. */
  wasRight(): Promise<void>
  /** It has been looked at, whatever came of it: call it in `finally`. */
  isOver(): Promise<void>
}

/**
 * Counts one guess. Throws `rate-limited` while the subject has to wait; what is refused so is not counted, so hammering
 * makes nothing longer. While others are looked at it waits for what comes of them, at most 15 seconds. Throws
 * `unavailable` where it can't count: guessing stays impossible.
 */
export async function takeGuess(platform: Platform, lockOut: LockOut, subject: string): Promise<Guess> {
  const { free, firstSeconds, mostSeconds } = lockOut
  const keys = keysOf(lockOut, subject)
  const id = randomUUID()
  const take = async () => {
    const numbers = [free, firstSeconds, mostSeconds, memorySeconds, id, lookedAtSeconds]
    const wait = await platform.redis.eval(script, keys.length, ...keys, ...numbers).catch(cannotCount)
    return Number(wait)
  }
  const until = performance.now() + mostQueuedMs
  let wait = await take()
  while (wait < 0 && performance.now() < until) {
    await setTimeout(25)
    wait = await take()
  }
  if (wait !== 0) throw tooMany(Math.max(wait, 1))
  return {
    wasRight: () => forgetGuesses(platform, lockOut, subject),
    async isOver() {
      // What can't be said now is known by itself when the time is up.
      await platform.redis.zrem(keys[2], id).catch(() => {})
    },
  }
}

function cannotCount(cause: unknown): never {
  throw new PlatformError('unavailable', 'Attempts can not be counted now. Try again in a minute.', { cause })
}

function tooMany(retryAfterSeconds: number): PlatformError {
  const minutes = Math.ceil(retryAfterSeconds / 60)
  return new PlatformError(
    'rate-limited',
    `Too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
    { retryAfterSeconds },
  )
}

/** After a right one. Those that are looked at stay counted among those. */
export async function forgetGuesses(platform: Platform, lockOut: LockOut, subject: string): Promise<void> {
  const [count, wait] = keysOf(lockOut, subject)
  await platform.redis.del(count, wait)
}

function keysOf({ name }: LockOut, subject: string): [count: string, wait: string, lookedAt: string] {
  // Braces: all live on one node of a Redis cluster, as a script wants.
  const base = `berth:guess:{${name}:${subject}}`
  return [`${base}:count`, `${base}:wait`, `${base}:looked-at`]
}
