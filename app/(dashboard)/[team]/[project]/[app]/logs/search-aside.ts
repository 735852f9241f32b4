import type { LogLine } from '@/platform/model/events.ts'
import type { AsideAnswer, AsideMessage } from './match-aside.ts'

/** Tries a search on lines where it can stop nobody. */
export interface SearchAside {
  /** Which of them match. Rejects when that takes too long, and from then on. */
  match(lines: LogLine[]): Promise<boolean[]>
  close(): void
}

const limitMs = 1_000

interface Waiting {
  resolve(matches: boolean[]): void
  reject(error: Error): void
  timer: ReturnType<typeof setTimeout>
}

/**
 * In a worker of its own, which is ended when it does not answer in time: some regular expressions never end, and what
 * somebody else may have written into a link must not be able to stop this page.
 */
export function createSearchAside(query: string): SearchAside {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | null = null
  let isClosed = false
  let asked = 0

  function open(): Worker {
    if (worker !== null) return worker
    worker = new Worker(new URL('./match-aside.ts', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data: { id, matches } }: MessageEvent<AsideAnswer>) => {
      const found = waiting.get(id)
      waiting.delete(id)
      clearTimeout(found?.timer)
      found?.resolve(matches)
    }
    worker.onerror = () => close()
    send(worker, { query })
    return worker
  }

  function close(): void {
    isClosed = true
    worker?.terminate()
    for (const { timer, reject } of waiting.values()) {
      clearTimeout(timer)
      reject(new Error('the search does not end'))
    }
    waiting.clear()
  }

  return {
    close,
    match(lines) {
      if (isClosed) return Promise.reject(new Error('the search was ended'))
      const id = ++asked
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject, timer: setTimeout(close, limitMs) })
        send(open(), { id, lines })
      })
    },
  }
}

function send(worker: Worker, message: AsideMessage): void {
  worker.postMessage(message)
}
