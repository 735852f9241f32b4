import { setTimeout as sleep } from 'node:timers/promises'
import { isEngineError } from '../errors.ts'

const waitsMs = [200, 600, 1_800]

/** Tries again what failed for a reason that may pass, three times, with growing waits. */
export async function retrying<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const waitMs = waitsMs[tries]
      if (waitMs === undefined || signal?.aborted || !isEngineError(error) || !error.isTemporary) throw error
      await sleep(waitMs * (0.75 + Math.random() / 2), undefined, { signal })
    }
  }
}
