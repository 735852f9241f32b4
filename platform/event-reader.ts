import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Logger } from './log.ts'
import type { RedisAddress } from './redis-url.ts'

export interface StreamReader {
  /** Resolves when the stream has an entry after `after`, or when the signal aborts. */
  waitFor(key: string, after: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

interface Waiter {
  key: string
  after: string
  resolve: () => void
}

const blockMs = 60_000

/**
 * One blocking connection for all followers of a process. It reads nothing for them: it only tells each that there is
 * something new, and they read at their own pace, so a slow browser neither fills memory nor holds up another.
 */
export function createStreamReader(options: RedisAddress, commands: Redis, log: Logger): StreamReader {
  const waiters = new Set<Waiter>()
  // Who begins to wait writes here, which ends the present XREAD so that the next one includes his stream. An entry,
  // unlike CLIENT UNBLOCK, is not lost when it comes between two reads.
  const wakeKey = `berth:wake:${randomUUID()}`
  let wakePosition = '0-0'
  let blocking: Redis | null = null
  let running: Promise<void> | null = null
  let closed = false

  async function readUntilNobodyWaits(): Promise<void> {
    blocking ??= connect(options, log)
    while (waiters.size > 0 && !closed) {
      const positions = new Map<string, string>([[wakeKey, wakePosition]])
      for (const { key, after } of waiters) {
        const known = positions.get(key)
        if (known === undefined || isAfter(known, after)) positions.set(key, after)
      }
      try {
        const found = await blocking.xread(
          'COUNT',
          1,
          'BLOCK',
          blockMs,
          'STREAMS',
          ...positions.keys(),
          ...positions.values(),
        )
        for (const [key, entries] of found ?? []) {
          const first = entries[0]?.[0]
          if (first === undefined) continue
          if (key === wakeKey) wakePosition = first
          else wake(key, first)
        }
      } catch (error) {
        if (closed) return
        // Followers find out for themselves when they read; this only must not spin.
        log.warn({ err: error }, 'reading event streams failed')
        for (const waiter of waiters) waiter.resolve()
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
  }

  function wake(key: string, id: string): void {
    for (const waiter of waiters) if (waiter.key === key && isAfter(id, waiter.after)) waiter.resolve()
  }

  function start(): void {
    running ??= readUntilNobodyWaits().finally(() => {
      running = null
      // Somebody may have come between the loop's last look and here.
      if (waiters.size > 0 && !closed) start()
    })
  }

  return {
    async waitFor(key, after, signal) {
      if (signal.aborted || closed) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const waiter: Waiter = { key, after, resolve: done }
      waiters.add(waiter)
      signal.addEventListener('abort', done, { once: true })
      // Leaves the set at once: the loop may go round again before whoever waited has run.
      function done(): void {
        waiters.delete(waiter)
        resolve()
      }
      try {
        if (running !== null) {
          await commands.multi().xadd(wakeKey, 'MAXLEN', 1, '*', 'wake', '1').expire(wakeKey, 3_600).exec()
        }
        start()
        await promise
      } finally {
        waiters.delete(waiter)
        signal.removeEventListener('abort', done)
      }
    },
    async close() {
      closed = true
      for (const waiter of waiters) waiter.resolve()
      blocking?.disconnect()
      await running
    },
  }
}

function connect(options: RedisAddress, log: Logger): Redis {
  const redis = new Redis({ ...options, maxRetriesPerRequest: null })
  redis.on('error', (error) => log.warn({ err: error }, 'redis does not answer'))
  return redis
}

/** Whether one id of a stream (milliseconds-sequence) comes after another. */
export function isAfter(id: string, other: string): boolean {
  const [ms = 0, sequence = 0] = id.split('-').map(Number)
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number)
  return ms > otherMs || (ms === otherMs && sequence > otherSequence)
}
