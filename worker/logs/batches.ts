/**
 * Groups what comes: a batch is full with `maxItems`, or handed over `maxWaitMs` after its first item. While the
 * consumer works on one, at most one more is gathered, and the source waits. An error comes after what came before it.
 */
export async function* inBatches<T>(
  source: AsyncIterable<T>,
  { maxItems, maxWaitMs }: { maxItems: number; maxWaitMs: number },
): AsyncGenerator<T[], void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  const advance = () => {
    const item = iterator.next()
    // Awaited later, maybe after it failed.
    item.catch(() => undefined)
    return item
  }
  let next = advance()
  try {
    for (;;) {
      const first = await next
      if (first.done === true) return
      const batch = [first.value]
      next = advance()
      const limit = new Limit(maxWaitMs)
      try {
        while (batch.length < maxItems) {
          const found = await Promise.race([next, limit.reached])
          if (found === null || found.done === true) break
          batch.push(found.value)
          next = advance()
        }
      } catch {
        // `next` has failed: it fails again at the top of the loop, after this batch.
      } finally {
        limit.clear()
      }
      yield batch
    }
  } finally {
    // Not awaited: a source that has nothing to say returns only when its own signal tells it to.
    iterator.return?.().catch(() => undefined)
  }
}

class Limit {
  readonly reached: Promise<null>
  readonly #timer: NodeJS.Timeout

  constructor(ms: number) {
    const { promise, resolve } = Promise.withResolvers<null>()
    this.reached = promise
    this.#timer = setTimeout(() => resolve(null), ms)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
