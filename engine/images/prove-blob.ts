import { createHash } from 'node:crypto'
import { EngineError } from '../errors.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { FetchBlobOptions } from './fetch-blob.ts'

/**
 * Has a registry send all of a blob that is here already, and keeps none of it: so that naming its digest is not enough
 * to be given what others brought here. Throws corrupt when it sends anything else, and what registries throw.
 */
export async function proveBlob(
  { digest, size }: Descriptor,
  { client, reference, credentials, onBytes, signal }: Omit<FetchBlobOptions, 'content' | 'readAlong'>,
): Promise<void> {
  const { stream, from } = await client.openBlob(reference, { digest, size }, { credentials, signal })
  const hash = createHash('sha256')
  let done = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk)
    done += chunk.length
    onBytes(done)
  }
  signal.throwIfAborted()
  if (`sha256:${hash.digest('hex')}` !== digest)
    throw new EngineError('corrupt', `the bytes of blob ${digest} are not what its digest says, from ${from}`)
}
