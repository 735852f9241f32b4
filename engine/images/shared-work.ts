import type { LayerProgress } from './images.ts'

type Report = (layers: LayerProgress[]) => void

export interface Shared<T> {
  /** Joins the work of this key, or begins it. One who leaves does not end it for the others; the last one does. */
  join(
    key: string,
    signal: AbortSignal | undefined,
    onProgress: Report | undefined,
    work: (signal: AbortSignal, report: Report) => Promise<T>,
  ): Promise<T>
  /** Resolves when nothing runs any more. */
  settled(): Promise<void>
}

/** @param closing ends all work. */
export function createShared<T>(closing: AbortSignal): Shared<T> {
  interface Running {
    promise: Promise<T>
    watchers: Set<Report>
    members: number
    abort: AbortController
    last: LayerProgress[] | null
  }
  const running = new Map<string, Running>()
  /** Also what everybody left, until it has really ended. */
  const all = new Set<Promise<T>>()

  function begin(key: string, work: (signal: AbortSignal, report: Report) => Promise<T>): Running {
    const abort = new AbortController()
    const watchers = new Set<Report>()
    const entry: Running = {
      watchers,
      members: 0,
      abort,
      last: null,
      promise: work(AbortSignal.any([abort.signal, closing]), (layers) => {
        entry.last = layers
        for (const watcher of watchers) watcher(layers)
      }).finally(() => {
        if (running.get(key) === entry) running.delete(key)
      }),
    }
    all.add(entry.promise)
    entry.promise.catch(() => {}).finally(() => all.delete(entry.promise))
    running.set(key, entry)
    return entry
  }

  return {
    async join(key, signal, onProgress, work) {
      signal?.throwIfAborted()
      const entry = running.get(key) ?? begin(key, work)
      entry.members++
      if (onProgress) {
        entry.watchers.add(onProgress)
        if (entry.last) onProgress(entry.last)
      }
      let leave: (() => void) | undefined
      try {
        const left = new Promise<never>((_, reject) => {
          leave = () => reject(signal?.reason)
          signal?.addEventListener('abort', leave, { once: true })
        })
        return await Promise.race([entry.promise, left])
      } finally {
        if (leave) signal?.removeEventListener('abort', leave)
        if (onProgress) entry.watchers.delete(onProgress)
        if (--entry.members === 0 && running.get(key) === entry) {
          running.delete(key)
          entry.abort.abort(signal?.reason)
        }
      }
    },
    async settled() {
      await Promise.allSettled(all)
    },
  }
}
