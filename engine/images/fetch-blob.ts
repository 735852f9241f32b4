import { Readable } from 'node:stream'
import type { ContentStore } from '../content/store.ts'
import { EngineError, isEngineError } from '../errors.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import type { RegistryClient } from '../registry/client.ts'
import { retrying } from '../registry/retry.ts'
import type { RegistryCredentials } from './images.ts'

export interface FetchBlobOptions {
  client: RegistryClient
  content: ContentStore
  reference: Reference
  credentials?: RegistryCredentials
  /** Called with the bytes that are there by now. */
  onBytes: (doneBytes: number) => void
  signal: AbortSignal
}

/** Brings a blob from a registry into the content store; goes on where an earlier fetch was cut off. */
export async function fetchBlob({ digest, size }: Descriptor, options: FetchBlobOptions): Promise<void> {
  const { client, content, reference, credentials, onBytes, signal } = options
  if (await content.has(digest)) return
  await retrying(signal, async () => {
    const have = Math.min(await content.ingestSize(digest), size)
    const { stream, offset } =
      have === size
        ? { stream: Readable.from([]), offset: have }
        : await client.openBlob(reference, digest, { credentials, signal, offset: have })
    onBytes(offset)
    await content
      .ingest(digest, stream, { offset, sizeBytes: size, signal, onBytes })
      .catch((error: unknown) => {
        signal.throwIfAborted()
        if (isEngineError(error)) throw error
        throw new EngineError('unavailable', `the registry broke off layer ${digest}`, { cause: error })
      })
  })
}
