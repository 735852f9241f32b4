/** One pull, as a story: resolve, read the documents, take a lease, bring the layers, record. */
import { EngineError, isEngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { type Descriptor, type Platform, parseConfig, parseManifest } from '../oci/manifest.ts'
import { assertSuits, choosePlatform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import type { RegistryReader } from '../registry/registry.ts'
import { hostPlatform } from '../sys/host-platform.ts'
import { fetchBlob } from './fetch-blob.ts'
import type { Image, LayerProgress, RegistryCredentials } from './images.ts'
import type { ImageParts } from './parts.ts'
import type { Realm } from './proofs.ts'
import { proveBlob } from './prove-blob.ts'
import { recordImage } from './record-image.ts'

/** An index may list indexes. */
const maxIndexes = 2

export interface PullRequest extends ImageParts {
  reference: Reference
  /** Null: this host's. */
  platform: Platform | null
  realm: Realm
  client: RegistryReader
  keepBlobs: boolean
  credentials?: RegistryCredentials
  onProgress: (layers: LayerProgress[]) => void
  signal: AbortSignal
}

export async function pullImage(request: PullRequest): Promise<Image> {
  const { reference, platform, realm, proofs, client, credentials, signal } = request
  const what = `image ${formatReference(reference)}`
  // With a platform the digest may be that of an index, through which another image is here; a realm's right is asked.
  const mustAsk = platform !== null || realm !== null
  const here = mustAsk || reference.digest === null ? null : isHere(reference.digest, request)
  if (here) return here
  const { digest, documents } = await resolve(request, what)
  const found = isHere(digest, request)
  if (found) return found
  const lease = request.leases.take(leaseOf(digest), [], { isResumable: true })
  try {
    const image = await recordImage(
      { ...request, lease },
      {
        documents,
        reference: formatReference(reference),
        source: reference,
        readDocument: (blob) => client.fetchDocument(reference, blob, { credentials, signal }),
        realm,
        fetch: (layer, tell, fetchSignal, readAlong) => {
          const isAnew = !proofs.ownsIngest(realm, layer.digest)
          if (isAnew || realm === null) proofs.beginIngest(realm, layer.digest)
          return fetchBlob(layer, {
            ...request,
            ...{ isAnew, signal: fetchSignal, readAlong },
            onBytes: (done) => tell(done < layer.size ? 'downloading' : 'verifying', done),
          })
        },
        prove: (layer, tell, proveSignal) =>
          proveBlob(layer, {
            ...request,
            signal: proveSignal,
            onBytes: (done) => tell('verifying', done),
          }),
        onProgress: request.onProgress,
        signal,
      },
    )
    proofs.addImage(realm, image.digest)
    lease.end()
    return image
  } catch (error) {
    if (!canGoOn(error)) lease.end()
    throw error
  } finally {
    lease.letGo()
  }
}

const leaseOf = (digest: Digest) => `pull ${digest}`

/** Whether what came so far is of use to a next try. */
function canGoOn(error: unknown): boolean {
  return !isEngineError(error) || error.isTemporary || error.kind === 'canceled'
}

/** The image, when all of it is on this host and the realm may use it; it has this name as well from now on. */
function isHere(
  digest: Digest,
  { rows, proofs, leases, realm, reference, onProgress }: PullRequest,
): Image | null {
  const image = rows.find(digest)
  if (!image || !rows.hasDocuments(image.digest) || !proofs.hasImage(realm, image.digest)) return null
  onProgress(image.blobs.map((digest) => ({ digest, state: 'exists' as const, doneBytes: 0, totalBytes: 0 })))
  leases.drop(leaseOf(image.digest))
  rows.name(formatReference(reference), image.digest)
  rows.touch(image.digest)
  return rows.get(image.digest)
}

async function resolve(request: PullRequest, what: string): Promise<{ digest: Digest; documents: Buffer[] }> {
  const { reference, platform, client, credentials, signal } = request
  const indexes: Buffer[] = []
  let wanted = reference
  for (;;) {
    const { digest, bytes } = await client.fetchManifest(wanted, { credentials, signal })
    const parsed = parseManifest(bytes, `the manifest of ${what}`)
    if (parsed.kind === 'manifest') {
      // Without an index only its configuration says what it is for.
      if (platform !== null && indexes.length === 0)
        await assertMadeFor(platform, parsed.manifest.config, request, what)
      return { digest, documents: [bytes, ...indexes] }
    }
    if (indexes.unshift(bytes) > maxIndexes)
      throw new EngineError('unsupported', `${what} is an index of indexes of indexes`)
    const chosen = choosePlatform(parsed.index, what, platform ?? hostPlatform())
    wanted = { ...reference, digest: chosen.digest }
  }
}

async function assertMadeFor(
  platform: Platform,
  config: Descriptor,
  { reference, client, credentials, signal }: PullRequest,
  what: string,
): Promise<void> {
  const bytes = await client.fetchDocument(reference, config, { credentials, signal })
  assertSuits(parseConfig(bytes, `the configuration of ${what}`).platform, what, platform)
}
