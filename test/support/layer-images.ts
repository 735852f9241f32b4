/** Images of layers that are said entry by entry, pulled as any other. */
import type { Image } from '../../engine/images/images.ts'
import { digestOf } from '../../engine/oci/digest.ts'
import { type HostileRegistry, serveImage } from './hostile-registry.ts'
import { type ImageStore, openImageStore, removeImageStores } from './image-store.ts'
import { pushImage } from './images.ts'
import { makeLayer, type Part } from './layers.ts'
import { startRegistry, type TestRegistry } from './registry.ts'

export interface LayerImages {
  registry: TestRegistry
  store: ImageStore
  /** Pulls an image of layers of these entries, lowest first. */
  pull(...layers: Part[][]): Promise<Image>
  close(): Promise<void>
}

/** A registry, and a store that pulls from it. */
export async function openLayerImages(): Promise<LayerImages> {
  const [registry, store] = await Promise.all([startRegistry(), openImageStore()])
  let images = 0
  return {
    registry,
    store,
    async pull(...parts) {
      const layers = await Promise.all(parts.map(makeLayer))
      const { reference } = await pushImage(registry, `team/layers-${++images}:1`, { bare: true, layers })
      return store.images.pull(reference)
    },
    async close() {
      await store.close()
      await registry.stop()
      removeImageStores()
    },
  }
}

/** Serves an image of one layer: these bytes, said to unpack to those. */
export function serveLayer(bytes: Buffer, plain: Buffer): Promise<HostileRegistry> {
  const blob = digestOf(bytes)
  const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [digestOf(plain)] } }))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { digest: digestOf(config), size: config.length },
      layers: [{ digest: blob, size: bytes.length }],
    }),
  )
  const blobs = new Map([
    [blob, bytes],
    [digestOf(config), config],
  ])
  return serveImage({ digest: digestOf(manifest), manifest, blobs, layers: [] })
}
