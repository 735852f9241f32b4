import { EngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { type Descriptor, parseConfig, parseManifest } from '../oci/manifest.ts'
import { bringLayers, type FetchLayer, type ProveLayer } from './bring-layers.ts'
import type { BlobSource } from './image-rows.ts'
import type { Image, LayerProgress } from './images.ts'
import type { Lease } from './leases.ts'
import type { ImageParts } from './parts.ts'
import type { Realm } from './proofs.ts'

export interface NewImage {
  /** The manifest, and the index that led to it, if any. */
  documents: Buffer[]
  /** Name that it gets. */
  reference: string | null
  /** Registry that its blobs can be fetched from again. */
  source: BlobSource | null
  readDocument: (blob: Descriptor) => Promise<Buffer>
  /** For whom it comes, where that matters: see proofs.ts. */
  realm?: Realm
  fetch: FetchLayer
  prove?: ProveLayer
  onProgress: (layers: LayerProgress[]) => void
  signal: AbortSignal
}

/**
 * The second half of every way that an image comes to this host, from a registry, an archive or a container: its
 * documents are kept, its layers brought, and then it is recorded.
 */
export async function recordImage(
  parts: ImageParts & { keepBlobs: boolean; lease: Lease },
  image: NewImage,
): Promise<Image> {
  const { content, rows, lease } = parts
  const [manifestBytes = Buffer.alloc(0)] = image.documents
  const digest = digestOf(manifestBytes)
  const what = image.reference === null ? `image ${digest}` : `image ${image.reference}`
  const parsed = parseManifest(manifestBytes, `the manifest of ${what}`)
  if (parsed.kind === 'index') throw new EngineError('unsupported', `${what} is an index of indexes`)
  const { manifest } = parsed
  const configBytes = await image.readDocument(manifest.config)
  if (digestOf(configBytes) !== manifest.config.digest)
    throw new EngineError('corrupt', `the configuration of ${what} is not what its digest says`)
  const { config, diffIds, createdAt } = parseConfig(configBytes, `the configuration of ${what}`)
  if (diffIds.length !== manifest.layers.length)
    throw new EngineError(
      'corrupt',
      `${what} has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`,
    )
  const blobs = manifest.layers.map((layer) => layer.digest)
  const all = [...image.documents, configBytes]
  const documents: Digest[] = [...new Set(all.map(digestOf))]
  lease.add(...documents, ...blobs, ...diffIds)
  // While the layers come: each wait for the disk is long on a busy one.
  const kept = Promise.all(all.map(content.put))
  // Told below, however long the layers take until then.
  kept.catch(() => {})
  try {
    await bringLayers({ ...parts, ...image }, manifest.layers, diffIds)
  } finally {
    await kept.catch(() => {})
  }
  await kept
  const sizeBytes = manifest.layers.reduce((sum, layer) => sum + layer.size, 0)
  const complete = { digest, config, createdAt, layers: diffIds, blobs, documents, sizeBytes }
  return rows.record(complete, image.reference, image.source)
}
