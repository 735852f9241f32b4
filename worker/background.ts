import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../platform/log.ts'
import { WorkerStopping } from './failure.ts'

/** Work that nobody waits for. One of a name at a time; one that failed is not begun again for a while, then longer. */
export interface Background {
  start(name: string, work: () => Promise<void>): void
  /** Whether its last run failed, and none after it succeeded. */
  hasFailed(name: string): boolean
  settled(): Promise<void>
}

const longestPauseMs = 60_000

export function createBackground(log: Logger): Background {
  const underWay = new Map<string, Promise<void>>()
  const failures = new Map<string, { count: number; notBefore: number }>()

  async function run(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      failures.delete(name)
    } catch (error) {
      if (error instanceof WorkerStopping) return
      const count = (failures.get(name)?.count ?? 0) + 1
      failures.set(name, { count, notBefore: Date.now() + Math.min(1_000 * 2 ** count, longestPauseMs) })
      log.warn({ err: error, work: name }, 'something did not succeed; it is tried again')
    } finally {
      underWay.delete(name)
    }
  }

  return {
    start(name, work) {
      if (underWay.has(name) || (failures.get(name)?.notBefore ?? 0) > Date.now()) return
      underWay.set(name, run(name, work))
    },
    hasFailed: (name) => failures.has(name),
    async settled() {
      while (underWay.size > 0) {
        await Promise.race(underWay.values())
        await sleep(0)
      }
    },
  }
}
