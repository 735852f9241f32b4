/** One pull, as a story: resolve, read the documents, take a lease, bring the layers, record. */
import { EngineError, isEngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { choosePlatform, type Manifest, parseConfig, parseManifest } from '../oci/manifest.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import type { RegistryClient } from '../registry/client.ts'
import { type BringParts, bringLayers } from './bring-layers.ts'
import { fetchBlob } from './fetch-blob.ts'
import type { ImageRows } from './image-rows.ts'
import type { Image, LayerProgress, RegistryCredentials } from './images.ts'
import type { Leases } from './leases.ts'

export interface PullRequest extends BringParts {
  reference: Reference
  client: RegistryClient
  leases: Leases
  rows: ImageRows
  credentials?: RegistryCredentials
  onProgress: (layers: LayerProgress[]) => void
  signal: AbortSignal
}

export async function pullImage(request: PullRequest): Promise<Image> {
  const { reference, client, content, rows, credentials, signal } = request
  const what = `image ${formatReference(reference)}`
  const here = reference.digest === null ? null : isHere(reference.digest, request)
  if (here) return here
  const { digest, manifest, documents } = await resolve(request, what)
  const found = isHere(digest, request)
  if (found) return found
  const configBytes = await client.fetchDocument(reference, manifest.config.digest, { credentials, signal })
  if (digestOf(configBytes) !== manifest.config.digest)
    throw new EngineError('corrupt', `the configuration of ${what} is not what its digest says`)
  const { config, diffIds, createdAt } = parseConfig(configBytes, `the configuration of ${what}`)
  if (diffIds.length !== manifest.layers.length)
    throw new EngineError(
      'corrupt',
      `${what} has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`,
    )
  const blobs = manifest.layers.map((layer) => layer.digest)
  const all = [...documents, configBytes]
  const lease = request.leases.take(`pull ${digest}`, [...all.map(digestOf), ...blobs, ...diffIds], {
    isResumable: true,
  })
  // While the layers come: each wait for the disk is long on a busy one.
  const kept = Promise.all(all.map(content.put))
  try {
    await bringLayers(
      {
        ...request,
        fetch: (layer, tell, fetchSignal) =>
          fetchBlob(layer, {
            ...request,
            signal: fetchSignal,
            onBytes: (done) => tell('downloading', done),
          }),
      },
      manifest.layers,
      diffIds,
    )
    await kept
    const complete = {
      digest,
      config,
      createdAt,
      layers: diffIds,
      blobs,
      documents: [...new Set([digest, manifest.config.digest, ...all.map(digestOf)])],
      sizeBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
    }
    return rows.record(complete, formatReference(reference), reference, lease.end)
  } catch (error) {
    if (!canGoOn(error)) lease.end()
    throw error
  } finally {
    await kept.catch(() => {})
    lease.letGo()
  }
}

/** Whether what came so far is of use to a next try. */
function canGoOn(error: unknown): boolean {
  return !isEngineError(error) || error.kind === 'unavailable' || error.kind === 'canceled'
}

/** The image, when all of it is on this host; it has this name as well from now on. */
function isHere(digest: Digest, { rows, reference, onProgress }: PullRequest): Image | null {
  const image = rows.find(digest)
  if (!image || !rows.hasDocuments(image.digest)) return null
  onProgress(
    image.layers.map((layer) => ({ digest: layer, state: 'exists' as const, doneBytes: 0, totalBytes: 0 })),
  )
  rows.name(formatReference(reference), image.digest)
  rows.touch(image.digest)
  return rows.get(image.digest)
}

async function resolve(
  { reference, client, credentials, signal }: PullRequest,
  what: string,
): Promise<{ digest: Digest; manifest: Manifest; documents: Buffer[] }> {
  const first = await client.fetchManifest(reference, { credentials, signal })
  const parsed = parseManifest(first.bytes, `the manifest of ${what}`)
  if (parsed.kind === 'manifest')
    return { digest: first.digest, manifest: parsed.manifest, documents: [first.bytes] }
  const { digest } = choosePlatform(parsed.index, what)
  const second = await client.fetchManifest({ ...reference, digest }, { credentials, signal })
  const inner = parseManifest(second.bytes, `the manifest of ${what}`)
  if (inner.kind === 'index') throw new EngineError('unsupported', `${what} is an index of indexes`)
  return { digest, manifest: inner.manifest, documents: [second.bytes, first.bytes] }
}
