/** Lets one piece of work at a time through for each key, in the order in which they asked. */
export type KeyedLock = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Work that throws lets the next one through, too. It is not to ask for a key that it holds: it would wait for itself. */
export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const result = (tails.get(key) ?? Promise.resolve()).then(work)
    const tail = result
      .catch(() => {})
      .finally(() => {
        if (tails.get(key) === tail) tails.delete(key)
      })
    tails.set(key, tail)
    return result
  }
}
