/** Images as archives: made entry by entry, and saved by a store. */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { digestHex } from '../../engine/oci/digest.ts'
import { type ImageStore, openImageStore, removeImageStores } from './image-store.ts'
import { type BuiltImage, type ImageSpec, pushImage, type TarEntry } from './images.ts'
import { startRegistry, type TestRegistry } from './registry.ts'

export interface ArchivePlace {
  registry: TestRegistry
  folder: string
  /** An image that the store pulled: its reference, and what it is made of. */
  pulled(store: ImageStore, name: string, spec: ImageSpec): Promise<{ reference: string; built: BuiltImage }>
  /** Saves into a file of the folder, and answers with its path. */
  saveTo(store: ImageStore, file: string, keys: string[], format?: 'oci' | 'docker'): Promise<string>
  close(): Promise<void>
}

/** A registry to pull from, and a folder for archives. */
export async function openArchivePlace(): Promise<ArchivePlace> {
  const registry = await startRegistry()
  const folder = mkdtempSync(join(tmpdir(), 'berth-archives-'))
  return {
    registry,
    folder,
    async pulled(store, name, spec) {
      const { reference, image } = await pushImage(registry, `team/${name}:1`, spec)
      await store.images.pull(reference)
      return { reference, built: image }
    },
    async saveTo(store, file, keys, format) {
      const path = join(folder, file)
      await pipeline(await store.images.save(keys, { format }), createWriteStream(path))
      return path
    },
    async close() {
      await registry.stop()
      removeImageStores()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Lends a store of its own. */
export async function withStore<T>(work: (store: ImageStore) => Promise<T>): Promise<T> {
  const store = await openImageStore()
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** An OCI layout of an image, as entries of a tar. */
export function layout(image: BuiltImage, annotations?: Record<string, string>): TarEntry[] {
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: image.digest,
        size: image.manifest.length,
        annotations,
      },
    ],
  }
  return [
    { name: 'blobs', type: 'directory' },
    ...[...image.blobs, [image.digest, image.manifest] as const].map(
      ([digest, content]): TarEntry => ({ name: `blobs/sha256/${digestHex(digest)}`, content }),
    ),
    { name: 'index.json', content: JSON.stringify(index) },
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
  ]
}
