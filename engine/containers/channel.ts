/** Tells many readers of what happens. A reader that is slow finds all of it waiting, in order. */
export interface Channel<T> {
  publish(value: T): void
  /** From now on (not from the first read on), until the signal or close. */
  subscribe(signal?: AbortSignal): AsyncIterable<T>
  close(): void
}

export function createChannel<T>(): Channel<T> {
  const readers = new Set<{ queue: T[]; wake: () => void; end: () => void }>()

  return {
    publish(value) {
      for (const reader of readers) {
        reader.queue.push(value)
        reader.wake()
      }
    },
    subscribe(signal) {
      const reader = { queue: [] as T[], wake: () => {}, end: () => {} }
      let ended = signal?.aborted === true
      reader.end = () => {
        ended = true
        readers.delete(reader)
        signal?.removeEventListener('abort', reader.end)
        reader.wake()
      }
      if (!ended) {
        readers.add(reader)
        signal?.addEventListener('abort', reader.end, { once: true })
      }
      return (async function* () {
        try {
          for (;;) {
            const next = reader.queue.shift()
            if (next !== undefined) yield next
            else if (ended) return
            else
              await new Promise<void>((resolve) => {
                reader.wake = resolve
              })
          }
        } finally {
          reader.end()
        }
      })()
    },
    close() {
      for (const reader of [...readers]) reader.end()
    },
  }
}
