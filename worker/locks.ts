/** Lets one at a time through for each key, in the order in which they came. */
export interface Locks {
  run<T>(key: string, work: () => Promise<T>): Promise<T>
  isHeld(key: string): boolean
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<unknown>>()
  return {
    run(key, work) {
      const result = (tails.get(key) ?? Promise.resolve()).then(work)
      const tail = result
        .catch(() => undefined)
        .finally(() => {
          if (tails.get(key) === tail) tails.delete(key)
        })
      tails.set(key, tail)
      return result
    },
    isHeld: (key) => tails.has(key),
  }
}

/** All that changes which containers an app has: one job of an app at a time. */
export function appKey(appId: string): string {
  return `app:${appId}`
}

/** The containers that serve an app: mended while a deployment is under way, but not while it replaces them. */
export function servingKey(appId: string): string {
  return `serving:${appId}`
}

/** Lets `count` through at once; the others wait in order. */
export function createSlots(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}

/** For what changes an app as a whole. */
export function withWholeApp<T>(locks: Locks, appId: string, work: () => Promise<T>): Promise<T> {
  return locks.run(appKey(appId), () => locks.run(servingKey(appId), work))
}
