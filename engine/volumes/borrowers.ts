/** Who works in volumes for a while without being a container: they hold one open, and let go of it when asked to. */
export interface Borrowers {
  has(name: string): boolean
  /** Lends until the work has ended; the signal says that it has to end now. */
  lend<T>(name: string, work: (ended: AbortSignal) => Promise<T>): Promise<T>
  /** When it resolves, nobody works in it. */
  end(name: string): Promise<void>
}

export function createBorrowers(): Borrowers {
  const open = new Map<string, Map<AbortController, Promise<unknown>>>()
  return {
    has: (name) => open.has(name),
    async lend(name, work) {
      const ended = new AbortController()
      const all = open.get(name) ?? new Map<AbortController, Promise<unknown>>()
      open.set(name, all)
      const working = work(ended.signal)
      all.set(
        ended,
        working.catch(() => {}),
      )
      try {
        return await working
      } finally {
        all.delete(ended)
        if (all.size === 0) open.delete(name)
      }
    },
    async end(name) {
      const all = [...(open.get(name) ?? [])]
      for (const [ended] of all) ended.abort()
      await Promise.all(all.map(([, working]) => working))
    },
  }
}
