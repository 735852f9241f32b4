import { Worker } from 'node:worker_threads'

/** Work that a thread does, one piece after the other. */
export interface LogThread {
  ask(method: string, values: unknown[], limitMs?: number): Promise<unknown>
  close(): Promise<void>
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
}

interface Thread {
  worker: Worker
  waiting: Map<number, Waiting>
}

/**
 * A half of the log store. The thread is there while it is of use: it begins at the first question and ends after
 * `idleMs` without any. Work that takes longer than its limit is ended with the thread, whatever it does (a regular
 * expression may never end); what waited behind it is asked again of the next one.
 */
export function createLogThread(folder: string, half: 'reader' | 'writer', idleMs = 60_000): LogThread {
  let thread: Thread | null = null
  let isClosed = false
  let nextId = 1
  let idle: NodeJS.Timeout | undefined
  let tail: Promise<unknown> = Promise.resolve()

  function start(): Thread {
    const waiting = new Map<number, Waiting>()
    const made = new Worker(new URL('./log-thread.ts', import.meta.url), { workerData: { folder, half } })
    made.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: unknown }) => {
      const asked = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) asked?.resolve(value)
      else asked?.reject(error)
    })
    const lost = (error: Error) => {
      if (thread?.worker === made) thread = null
      for (const asked of waiting.values()) asked.reject(error)
      waiting.clear()
    }
    made.on('error', lost)
    made.on('exit', () => lost(new Error('The thread that keeps logs has ended.')))
    made.unref()
    return { worker: made, waiting }
  }

  async function askNow(method: string, values: unknown[], limitMs?: number): Promise<unknown> {
    if (isClosed) throw new Error('The log store is closed.')
    clearTimeout(idle)
    thread ??= start()
    const current = thread
    const { worker, waiting } = current
    const id = nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    // Keeps the process until it is answered.
    worker.ref()
    worker.postMessage({ id, method, values })
    const late =
      limitMs === undefined
        ? undefined
        : setTimeout(() => {
            waiting.delete(id)
            if (thread === current) thread = null
            void worker.terminate()
            reject(new TooLong())
          }, limitMs)
    try {
      return await promise
    } finally {
      clearTimeout(late)
      if (waiting.size === 0) {
        worker.unref()
        clearTimeout(idle)
        idle = setTimeout(() => void rest(), idleMs)
        idle.unref()
      }
    }
  }

  /** Closes its files first, so that nothing is left beside them. */
  async function rest(): Promise<void> {
    const current = thread
    if (current === null || current.waiting.size > 0) return
    if (half === 'writer') await askNow('close', []).catch(() => undefined)
    if (thread !== current || current.waiting.size > 0) return
    thread = null
    clearTimeout(idle)
    await current.worker.terminate()
  }

  return {
    // One after the other, also on this side: what is asked behind work that is ended by its limit is not lost with it.
    ask(method, values, limitMs) {
      if (half === 'writer') return askNow(method, values, limitMs)
      const asked = tail.then(() => askNow(method, values, limitMs))
      tail = asked.catch(() => undefined)
      return asked
    },
    async close() {
      clearTimeout(idle)
      await tail
      if (thread !== null && half === 'writer') await askNow('close', []).catch(() => undefined)
      isClosed = true
      clearTimeout(idle)
      await thread?.worker.terminate()
      thread = null
    },
  }
}

export class TooLong extends Error {}
