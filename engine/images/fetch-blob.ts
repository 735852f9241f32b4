import type { ContentStore, ReadAlong } from '../content/store.ts'
import { EngineError, isEngineError } from '../errors.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import type { RegistryReader } from '../registry/registry.ts'
import type { RegistryCredentials } from './images.ts'

export interface FetchBlobOptions {
  client: RegistryReader
  content: ContentStore
  reference: Reference
  credentials?: RegistryCredentials
  /** Whether what is left of an earlier fetch is not gone on with. */
  isAnew?: boolean
  /** Called with the bytes that are there by now. */
  onBytes: (doneBytes: number) => void
  /** Not called for a blob that is here already. */
  readAlong?: ReadAlong
  signal: AbortSignal
}

/** Brings a blob from a registry into the content store; goes on where an earlier fetch was cut off. */
export async function fetchBlob({ digest, size }: Descriptor, options: FetchBlobOptions): Promise<void> {
  const { client, content, reference, credentials, isAnew = false, onBytes, readAlong, signal } = options
  if (await content.has(digest)) return
  const have = isAnew ? 0 : Math.min(await content.ingestSize(digest), size)
  await fetchFrom(have).catch(async (error: unknown) => {
    // What an earlier pull left may be what is wrong: a power cut can leave anything.
    if (have === 0 || !isEngineError(error, 'corrupt')) throw error
    await fetchFrom(0)
  })

  async function fetchFrom(offset: number): Promise<void> {
    const blob = { digest, size }
    const { stream, from } = await client.openBlob(reference, blob, { credentials, signal, offset })
    onBytes(offset)
    await content
      .ingest(digest, stream, { offset, sizeBytes: size, signal, onBytes, readAlong })
      .catch((error: unknown) => {
        signal.throwIfAborted()
        if (!isEngineError(error, 'corrupt') || from === '') throw error
        throw new EngineError('corrupt', `${error.message}, from ${from}`, { cause: error })
      })
  }
}
