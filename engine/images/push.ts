import { createReadStream } from 'node:fs'
import type { Digest } from '../oci/digest.ts'
import { type Descriptor, mediaTypes } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { type PushOptions, pushContents } from '../registry/push.ts'
import type { RegistryClient } from '../registry/registry.ts'
import { readDocuments } from './documents.ts'
import { ensureBlob } from './ensure-blob.ts'
import type { CredentialsFor } from './images.ts'
import { type ImageParts, usingImage } from './parts.ts'

export interface PushRequest extends ImageParts {
  client: RegistryClient
  /** What the image is to be called there. */
  target: Reference
  /** For layers that must be fetched again, from wherever. */
  credentialsFor: CredentialsFor
  options: PushOptions & { signal: AbortSignal }
}

/**
 * Pushes an image byte for byte as it came, so that it keeps its digest. A packed layer is read, or fetched again, only
 * when the registry neither has it nor can mount it.
 */
export async function pushImage(request: PushRequest, key: string): Promise<Digest> {
  return usingImage(request, key, async (digest) => {
    const { client, content, rows, target, options } = request
    const { manifest, config } = await readDocuments(request, digest)
    const mountFrom = (blob: Digest) =>
      rows
        .sources(blob)
        .filter(({ registry }) => registry === target.registry)
        .map(({ repository }) => repository)
    const open = (blob: Descriptor) => async (offset: number) => {
      await ensureBlob(blob, { ...request, signal: options.signal })
      return createReadStream('', {
        fd: await content.open(blob.digest),
        start: offset,
        highWaterMark: 1 << 20,
      })
    }
    const blobs = [...manifest.parsed.layers, { digest: config.digest, size: config.bytes.length }]
    const { mediaType = mediaTypes.ociManifest } = JSON.parse(manifest.bytes.toString('utf8'))
    const pushed = await pushContents(
      client,
      target,
      {
        blobs: blobs.map((blob) => ({
          digest: blob.digest,
          size: blob.size,
          mountFrom: mountFrom(blob.digest),
          open: open(blob),
        })),
        top: { mediaType, bytes: manifest.bytes },
      },
      options,
    )
    // From now on the registry can give them again, should room be needed here.
    rows.addSource(
      manifest.parsed.layers.map((layer) => layer.digest),
      target,
    )
    return pushed
  })
}
