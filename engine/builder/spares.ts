/**
 * Sandboxes that wait for the next build with their cache. Each is made behind an answer, in which nothing has run but
 * shells that wait for a word, and is given to one build, which is its last.
 */
import { createKeyedLock } from '../state/keyed-lock.ts'
import type { OpenSandbox } from './sandbox.ts'

export interface Spares {
  /**
   * One that waits with this cache, and is as it would be made now; the caller's from then on. Null: there is none, and
   * what waited is gone. @param likeness all that it was made of
   */
  take(cache: string, likeness: string): Promise<OpenSandbox | null>
  /** Never throws: who comes next makes its own where this fails. */
  keep(cache: string, likeness: string, open: () => Promise<OpenSandbox>): Promise<void>
  /** When it resolves, none waits with this cache. */
  drop(cache: string): Promise<void>
  /** None waits any more, and none is kept. */
  close(): Promise<void>
}

export interface SparesOptions {
  /** On this host; where there are more the oldest goes. */
  most: number
  keptMs: number
}

interface Spare {
  likeness: string
  open: OpenSandbox
  timer: NodeJS.Timeout
}

export function createSpares({ most, keptMs }: SparesOptions): Spares {
  /** By their caches, the oldest first. */
  const waiting = new Map<string, Spare>()
  const lock = createKeyedLock()
  let isClosed = false

  function takeOut(cache: string): Spare | null {
    const spare = waiting.get(cache) ?? null
    waiting.delete(cache)
    clearTimeout(spare?.timer)
    return spare
  }

  // What fails leaves what the next engine sweeps.
  const drop = (cache: string) =>
    lock(cache, async () => void (await takeOut(cache)?.open.remove())).catch(() => undefined)

  return {
    take: (cache, likeness) =>
      lock(cache, async () => {
        const spare = takeOut(cache)
        if (spare === null) return null
        if (spare.likeness === likeness && (await spare.open.isReady())) return spare.open
        await spare.open.remove().catch(() => undefined)
        return null
      }),
    async keep(cache, likeness, open) {
      await lock(cache, async () => {
        if (isClosed || waiting.has(cache)) return
        const made = await open()
        const timer = setTimeout(() => void drop(cache), keptMs)
        timer.unref()
        waiting.set(cache, { likeness, open: made, timer })
      }).catch(() => undefined)
      const tooMany = [...waiting.keys()].slice(0, isClosed ? waiting.size : -most)
      await Promise.all(tooMany.map(drop))
    },
    drop,
    async close() {
      isClosed = true
      await Promise.all([...waiting.keys()].map(drop))
    },
  }
}
