import type { Descriptor } from '../oci/manifest.ts'
import type { LayerProgress } from './images.ts'

const reportEveryMs = 100

export interface Progress<State> {
  set(index: number, state: State | 'waiting', doneBytes: number): void
  /** Tells the last of it, and nothing after that. */
  end(): void
}

/** Keeps where each layer stands and tells it: at once on a change of state, at most ten times a second for bytes. */
export function createProgress<State extends string = LayerProgress['state']>(
  descriptors: Pick<Descriptor, 'digest' | 'size'>[],
  tell: (layers: (Omit<LayerProgress, 'state'> & { state: State | 'waiting' })[]) => void,
): Progress<State> {
  const layers = descriptors.map(({ digest, size }) => ({
    digest,
    state: 'waiting' as State | 'waiting',
    doneBytes: 0,
    totalBytes: size,
  }))
  let later: NodeJS.Timeout | null = null
  let toldAtMs = 0
  let isOver = false
  const flush = () => {
    if (later) clearTimeout(later)
    later = null
    toldAtMs = Date.now()
    tell(layers.map((layer) => ({ ...layer })))
  }
  flush()
  return {
    set(index, state, doneBytes) {
      const layer = layers[index]
      if (!layer || isOver) return
      const isNews = layer.state !== state
      layer.state = state
      layer.doneBytes = doneBytes
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
