import { record } from './audit.ts'
import type { Platform } from './open.ts'
import type { Origin } from './origin.ts'
import { sha256 } from './secrets.ts'

export type Refusal = 'wrong-password' | 'unknown-account' | 'suspended' | 'wrong-code'

/** Of those at one address within an hour the 1st, 10th, 100th … is written down, and says which it is. */
const windowSeconds = 3_600
const mostInMinute = 60

/**
 * Writes down that somebody was not let in, so that guessing shows in the audit log and can't fill it: however many
 * there are, an account has a handful of entries an hour and the installation so many a minute. What was typed is not
 * kept, since people type passwords into the wrong field.
 */
export async function recordRefusal(
  platform: Platform,
  reason: Refusal,
  { email, user, origin }: { email: string; user: { id: string; name: string } | null; origin: Origin },
): Promise<void> {
  // Counted alike for accounts that are there and those that are not: the answer must take as long.
  const attempts = await count(platform, `berth:refused:${sha256(email)}`, windowSeconds)
  if (!/^10*$/.test(String(attempts))) return
  const written = await count(platform, 'berth:refused:all', 60)
  if (written > mostInMinute) return
  await platform.db.$transaction((tx) =>
    record(
      tx,
      { kind: 'anonymous' },
      {
        teamId: null,
        action: 'session.refuse',
        ...(user === null ? {} : { target: { type: 'user', id: user.id, name: user.name } }),
        detail: { reason, attempts, ...(written === mostInMinute ? { moreAreNotWrittenDown: true } : {}) },
        from: { address: origin.address, userAgent: origin.userAgent ?? null },
      },
    ),
  )
}

async function count(platform: Platform, key: string, seconds: number): Promise<number> {
  const results = await platform.redis.multi().incr(key).expire(key, seconds, 'NX').exec()
  return Number(results?.[0]?.[1] ?? 0)
}
