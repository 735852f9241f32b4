/** Reads `source` to its end at once, whether or not anybody takes it; what was not taken yet is kept in memory. */
export function prefetch<T>(source: AsyncIterable<T>): AsyncIterable<T> {
  const waiting: T[] = []
  let end: { failure?: unknown } | null = null
  let news = Promise.withResolvers<void>()
  const read = async () => {
    for await (const item of source) {
      waiting.push(item)
      news.resolve()
    }
  }
  read().then(
    () => {
      end = {}
      news.resolve()
    },
    (failure: unknown) => {
      end = { failure }
      news.resolve()
    },
  )
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        yield* waiting.splice(0)
        if (waiting.length > 0) continue
        if (end !== null && 'failure' in end) throw end.failure
        if (end !== null) return
        await news.promise
        news = Promise.withResolvers()
      }
    },
  }
}
