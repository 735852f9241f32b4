import { EngineError, isEngineError } from '../errors.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { RegistryReader } from '../registry/registry.ts'
import { blobTurn } from './bring-layers.ts'
import { fetchBlob } from './fetch-blob.ts'
import type { CredentialsFor } from './images.ts'
import type { ImageParts } from './parts.ts'

export interface EnsureBlobOptions extends ImageParts {
  client: RegistryReader
  credentialsFor: CredentialsFor
  signal: AbortSignal
}

/**
 * Sees to it that a packed layer is in the content store: it may have been dropped to make room, and is fetched again
 * from a registry that had it. Throws access-denied when one wants credentials, and failed-precondition when none has
 * it any more.
 */
export async function ensureBlob(layer: Descriptor, options: EnsureBlobOptions): Promise<void> {
  const { content, rows, held, credentialsFor, signal } = options
  const { digest } = layer
  await held.takeTurn(blobTurn(digest), signal, async () => {
    if (await content.has(digest)) return
    const failures: EngineError[] = []
    for (const source of rows.sources(digest)) {
      try {
        const reference = { ...source, tag: null, digest: null }
        const credentials = await credentialsFor(source)
        return await fetchBlob(layer, { ...options, reference, credentials, onBytes: () => {} })
      } catch (error) {
        signal.throwIfAborted()
        if (!isEngineError(error)) throw error
        failures.push(error)
      }
    }
    const dropped = `the packed layer ${digest} was dropped to make room`
    const denied = failures.find(({ kind }) => kind === 'access-denied')
    if (denied)
      throw new EngineError('access-denied', `${dropped}, and is not given again: ${denied.message}`, {
        cause: denied,
      })
    const why = failures.map(({ message }) => `: ${message}`).join('')
    throw new EngineError(
      'failed-precondition',
      `${dropped}, and no registry that had it gives it again${why}: remove the image here and pull it again from wherever it still is`,
      { cause: failures[0] },
    )
  })
}
