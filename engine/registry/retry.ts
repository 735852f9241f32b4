import { setTimeout as sleep } from 'node:timers/promises'
import { isEngineError } from '../errors.ts'
import { isHopeless } from './failures.ts'
import { defaultLimits, type Limits } from './limits.ts'

export type RetryLimits = Pick<Limits, 'tries' | 'firstWaitMs' | 'longestWaitMs'>

/** Tries again what failed for a reason that may pass, with growing waits. */
export async function retrying<T>(
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
  limits: RetryLimits = defaultLimits,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      await waitToRetry(error, failures, limits, signal)
    }
  }
}

/**
 * Waits before the next try, or throws `error` when there should be none: it does not pass, or it was the last. Waits
 * double, give or take a quarter, so that those who failed together do not come back together. A `Retry-After` is kept
 * to, and given up on when it is longer than `longestWaitMs`.
 * @param failures how often it failed by now, 1 or more.
 */
export async function waitToRetry(
  error: unknown,
  failures: number,
  limits: RetryLimits,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted()
  if (!isEngineError(error) || !error.isTemporary || isHopeless(error)) throw error
  const { tries, firstWaitMs, longestWaitMs } = limits
  const wantedMs = error.retryAfterMs ?? 0
  if (failures >= tries || wantedMs > longestWaitMs) throw error
  const backOffMs = Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs) * (0.75 + Math.random() / 2)
  await sleep(Math.max(backOffMs, wantedMs), undefined, { signal }).catch(() => signal?.throwIfAborted())
}
