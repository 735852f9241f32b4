/** One push, as a story: every blob that the registry lacks, some at once; then the manifests; the one with the name last. */
import type { Digest } from '../oci/digest.ts'
import type { Reference } from '../oci/reference.ts'
import { createProgress } from './progress.ts'
import type { BlobSource, RegistryWriter, RequestOptions } from './registry.ts'

const uploadsAtOnce = 4

export interface PushContents {
  /** Configurations and layers of all manifests; one that is named twice is sent once. */
  blobs: PushBlob[]
  /** Manifests that `top`, an index, lists: an inner index after what it lists. */
  manifests?: PushDocument[]
  /** What the reference will mean. */
  top: PushDocument
}

export interface PushBlob extends BlobSource {
  /** Repositories of the same registry that may have it already, likeliest first. */
  mountFrom?: string[]
}

export interface PushDocument {
  mediaType: string
  bytes: Buffer
}

export interface PushProgress {
  digest: string
  state: 'waiting' | 'uploading' | 'done' | 'exists' | 'mounted'
  doneBytes: number
  totalBytes: number
}

export interface PushOptions extends RequestOptions {
  /** All blobs as they stand; at most ten times a second, and once at the end. */
  onProgress?: (blobs: PushProgress[]) => void
}

/**
 * Makes `reference` mean `contents.top`, and answers with its digest. Until then whoever pulls the reference gets what
 * it meant before; a push that fails leaves blobs that the registry collects, or that the next push finds there.
 */
export async function pushContents(
  client: RegistryWriter,
  reference: Reference,
  contents: PushContents,
  { credentials, signal, onProgress = () => {} }: PushOptions = {},
): Promise<Digest> {
  const blobs = [...new Map(contents.blobs.map((blob) => [blob.digest, blob])).values()]
  const progress = createProgress<PushProgress['state']>(blobs, onProgress)
  const failed = new AbortController()
  const options = { credentials, signal: signal ? AbortSignal.any([signal, failed.signal]) : failed.signal }

  async function send(blob: PushBlob, index: number): Promise<void> {
    if (await client.blobExists(reference, blob.digest, options))
      return progress.set(index, 'exists', blob.size)
    for (const from of blob.mountFrom ?? []) {
      if (from !== reference.repository && (await client.mountBlob(reference, blob.digest, from, options)))
        return progress.set(index, 'mounted', blob.size)
    }
    progress.set(index, 'uploading', 0)
    const onBytes = (done: number) => progress.set(index, 'uploading', done)
    await client.uploadBlob(reference, blob, { ...options, onBytes })
    progress.set(index, 'done', blob.size)
  }

  const queue = blobs.entries()
  const sendSome = async () => {
    // One iterator for all: each takes the next.
    for (const [index, blob] of queue) await send(blob, index)
  }
  const sending = Array.from({ length: uploadsAtOnce }, sendSome)
  try {
    await Promise.all(sending)
    for (const document of contents.manifests ?? [])
      await client.putManifest({ ...reference, tag: null, digest: null }, document, options)
    return await client.putManifest(reference, contents.top, options)
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(sending)
    signal?.throwIfAborted()
    throw error
  } finally {
    progress.end()
  }
}
