const reportEveryMs = 100

/** How far a blob is that comes or goes. */
export interface BlobProgress<State extends string> {
  digest: string
  state: State | 'waiting'
  doneBytes: number
  totalBytes: number
}

export interface Progress<State> {
  set(index: number, state: State | 'waiting', doneBytes: number): void
  /** Tells the last of it, and nothing after that. */
  end(): void
}

/** Keeps where each blob stands and tells it: at once on a change of state, at most ten times a second for bytes. */
export function createProgress<State extends string>(
  wanted: readonly { digest: string; size: number }[],
  tell: (blobs: BlobProgress<State>[]) => void,
): Progress<State> {
  const blobs = wanted.map(
    ({ digest, size }): BlobProgress<State> => ({ digest, state: 'waiting', doneBytes: 0, totalBytes: size }),
  )
  let later: NodeJS.Timeout | null = null
  let toldAtMs = 0
  let isOver = false
  const flush = () => {
    if (later) clearTimeout(later)
    later = null
    toldAtMs = Date.now()
    tell(blobs.map((blob) => ({ ...blob })))
  }
  flush()
  return {
    set(index, state, doneBytes) {
      const blob = blobs[index]
      if (!blob || isOver) return
      const isNews = blob.state !== state
      blob.state = state
      blob.doneBytes = doneBytes
      const waitMs = toldAtMs + reportEveryMs - Date.now()
      if (isNews || waitMs <= 0) flush()
      else later ??= setTimeout(flush, waitMs)
    },
    end() {
      flush()
      isOver = true
    },
  }
}
