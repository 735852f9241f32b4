import type { Descriptor } from '../oci/manifest.ts'
import type { LayerProgress } from './images.ts'

const reportEveryMs = 100

/** Keeps where each layer stands and tells it: at once on a change of state, at most ten times a second for bytes. */
export function createProgress(
  descriptors: Descriptor[],
  tell: (layers: LayerProgress[]) => void,
): { set(index: number, state: LayerProgress['state'], doneBytes: number): void; flush(): void } {
  const layers: LayerProgress[] = descriptors.map(({ digest, size }) => ({
    digest,
    state: 'waiting',
    doneBytes: 0,
    totalBytes: size,
  }))
  let toldAtMs = 0
  const flush = () => {
    toldAtMs = Date.now()
    tell(layers.map((layer) => ({ ...layer })))
  }
  flush()
  return {
    set(index, state, doneBytes) {
      const layer = layers[index]
      if (!layer) return
      const isNews = layer.state !== state
      layer.state = state
      layer.doneBytes = doneBytes
      if (isNews || Date.now() - toldAtMs >= reportEveryMs) flush()
    },
    flush,
  }
}
