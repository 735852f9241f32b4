import { EngineError, isEngineError } from '../errors.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { blobTurn } from './bring-layers.ts'
import { type FetchBlobOptions, fetchBlob } from './fetch-blob.ts'
import type { ImageParts } from './parts.ts'

/**
 * Sees to it that a packed layer is in the content store: it may have been dropped to make room, and is fetched again
 * from a registry that had it. Throws failed-precondition when none has it any more.
 */
export async function ensureBlob(
  layer: Descriptor,
  options: ImageParts & Omit<FetchBlobOptions, 'reference'>,
): Promise<void> {
  const { content, rows, held, signal } = options
  const { digest } = layer
  await held.takeTurn(blobTurn(digest), signal, async () => {
    if (await content.has(digest)) return
    let cause: unknown
    for (const source of rows.sources(digest)) {
      try {
        return await fetchBlob(layer, { ...options, reference: { ...source, tag: null, digest: null } })
      } catch (error) {
        signal.throwIfAborted()
        if (!isEngineError(error)) throw error
        cause = error
      }
    }
    throw new EngineError(
      'failed-precondition',
      `the packed layer ${digest} is not on this host any more, and no registry that had it gives it: pull the image again`,
      { cause },
    )
  })
}
