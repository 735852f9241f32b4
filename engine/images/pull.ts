/** One pull, as a story: resolve, read the documents, bring the layers, make them visible from below, record. */
import { Readable } from 'node:stream'
import type { ContentStore } from '../content/store.ts'
import { EngineError, isEngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import {
  choosePlatform,
  type Descriptor,
  type Manifest,
  parseConfig,
  parseManifest,
} from '../oci/manifest.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import type { RegistryClient } from '../registry/client.ts'
import { retrying } from '../registry/retry.ts'
import type { Image, ImageConfig, LayerProgress, RegistryCredentials } from './images.ts'
import type { LayerStore } from './layer-store.ts'
import type { Lease, Leases, ReportLayer } from './leases.ts'
import { createProgress } from './progress.ts'
import { unpackLayer } from './unpack.ts'

const layersAtOnce = 3

export interface PullRequest {
  reference: Reference
  client: RegistryClient
  content: ContentStore
  layers: LayerStore
  leases: Leases
  known: (digest: Digest) => Image | null
  /** Called when all layers are there, while they are held. */
  record: (pulled: PulledImage) => Image
  credentials?: RegistryCredentials
  onProgress: (layers: LayerProgress[]) => void
  signal: AbortSignal
}

export interface PulledImage {
  digest: Digest
  config: ImageConfig
  layers: Digest[]
  blobs: Digest[]
  sizeBytes: number
  createdAt: string | null
}

/** A layer of the image: what to fetch, what it must unpack to, and our hold on it. */
interface Wanted {
  descriptor: Descriptor
  diffId: Digest
  lease: Lease
  report: ReportLayer
  release(): void
}

export async function pullImage(request: PullRequest): Promise<Image> {
  const { reference, client, credentials, signal, known } = request
  const what = `image ${formatReference(reference)}`
  const here = reference.digest ? known(reference.digest) : null
  if (here) return isHere(here, request)
  const { digest, manifest } = await resolve(request, what)
  const found = known(digest)
  if (found) return isHere(found, request)
  const configBytes = await client.fetchDocument(reference, manifest.config.digest, { credentials, signal })
  if (digestOf(configBytes) !== manifest.config.digest)
    throw new EngineError('corrupt', `the configuration of ${what} is not what its digest says`)
  const { config, diffIds, createdAt } = parseConfig(configBytes, `the configuration of ${what}`)
  if (diffIds.length !== manifest.layers.length)
    throw new EngineError(
      'corrupt',
      `${what} has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`,
    )
  return withLayers(request, manifest.layers, diffIds, () =>
    request.record({
      digest,
      config,
      createdAt,
      layers: diffIds,
      blobs: manifest.layers.map((layer) => layer.digest),
      sizeBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
    }),
  )
}

function isHere(image: Image, request: PullRequest): Image {
  request.onProgress(
    image.layers.map((digest) => ({ digest, state: 'exists' as const, doneBytes: 0, totalBytes: 0 })),
  )
  return request.record({ ...image, blobs: [] })
}

async function resolve(
  { reference, client, credentials, signal }: PullRequest,
  what: string,
): Promise<{ digest: Digest; manifest: Manifest }> {
  const first = await client.fetchManifest(reference, { credentials, signal })
  const parsed = parseManifest(first.bytes, `the manifest of ${what}`)
  if (parsed.kind === 'manifest') return { digest: first.digest, manifest: parsed.manifest }
  const { digest } = choosePlatform(parsed.index, what)
  const second = await client.fetchManifest({ ...reference, digest }, { credentials, signal })
  const inner = parseManifest(second.bytes, `the manifest of ${what}`)
  if (inner.kind === 'index') throw new EngineError('unsupported', `${what} is an index of indexes`)
  return { digest, manifest: inner.manifest }
}

/** Brings every layer, holds all of them while `work` runs, and lets go. */
async function withLayers<T>(
  request: PullRequest,
  descriptors: Descriptor[],
  diffIds: Digest[],
  work: () => T,
): Promise<T> {
  const progress = createProgress(descriptors, request.onProgress)
  const failed = new AbortController()
  const signal = AbortSignal.any([request.signal, failed.signal])
  const wanted = descriptors.map((descriptor, index): Wanted => {
    const diffId = diffIds[index] ?? ''
    const report: ReportLayer = (state, doneBytes) =>
      progress.set(index, state, Math.min(doneBytes, descriptor.size))
    return { descriptor, diffId, report, ...request.leases.hold(diffId, report) }
  })
  try {
    await bringAll({ ...request, signal }, wanted, failed)
    return work()
  } catch (error) {
    request.signal.throwIfAborted()
    throw error
  } finally {
    progress.end()
    for (const { release } of wanted) release()
  }
}

/** Fetches and unpacks some layers at once; each becomes visible as soon as those below it are. */
async function bringAll(request: PullRequest, wanted: Wanted[], failed: AbortController): Promise<void> {
  const queue = [...wanted]
  const brought = new Map(wanted.map(({ diffId }) => [diffId, Promise.withResolvers<void>()]))
  const bringSome = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await bring(request, next)
      brought.get(next.diffId)?.resolve()
    }
  }
  const showAll = async () => {
    for (const [index, { diffId, lease, descriptor }] of wanted.entries()) {
      await brought.get(diffId)?.promise
      const below = wanted.slice(0, index).map((layer) => layer.diffId)
      await request.leases.takeTurn(diffId, request.signal, async () => {
        const { staged } = lease
        if (staged === null) return
        await request.layers.commit(diffId, staged, below)
        lease.staged = null
        lease.tell('done', descriptor.size)
      })
    }
  }
  const all = [...Array.from({ length: layersAtOnce }, bringSome), showAll()]
  try {
    await Promise.all(all)
  } catch (error) {
    failed.abort(error)
    for (const { promise, reject } of brought.values()) {
      promise.catch(() => {})
      reject(error)
    }
    await Promise.allSettled(all)
    throw error
  }
}

/** Fetches and unpacks a layer, unless it is here or another pull did so a moment ago. */
async function bring(request: PullRequest, { descriptor, diffId, lease, report }: Wanted): Promise<void> {
  const { layers, leases, content, signal } = request
  const { digest, size } = descriptor
  await leases.takeTurn(diffId, signal, async () => {
    if (layers.has(diffId)) return report('exists', size)
    if (lease.staged !== null) return
    // One blob under two diffIDs: at most one of them is true, but both may be claimed. (An uncompressed layer has the
    // same digest as its blob, hence another name.)
    await leases.takeTurn(`blob ${digest}`, signal, async () => {
      await fetchBlob(request, descriptor, lease)
      lease.tell('unpacking', size)
      const folder = await layers.stage(diffId)
      const blob = await content.open(digest)
      try {
        lease.staged = { folder, ...(await unpackLayer(blob, diffId, folder, signal)) }
      } catch (error) {
        await layers.discard(folder)
        throw error
      } finally {
        await blob.close()
        // The unpacked layer is what runs; the compressed bytes could only be pushed again.
        if (!signal.aborted) await content.remove(digest)
      }
    })
  })
}

async function fetchBlob(
  { reference, client, content, credentials, signal }: PullRequest,
  { digest, size }: Descriptor,
  lease: Lease,
): Promise<void> {
  if (await content.has(digest)) return
  const onBytes = (done: number) => lease.tell('downloading', done)
  await retrying(signal, async () => {
    const have = Math.min(await content.ingestSize(digest), size)
    const { stream, offset } =
      have === size
        ? { stream: Readable.from([]), offset: have }
        : await client.openBlob(reference, digest, { credentials, signal, offset: have })
    lease.tell('downloading', offset)
    await content
      .ingest(digest, stream, { offset, sizeBytes: size, signal, onBytes })
      .catch((error: unknown) => {
        signal.throwIfAborted()
        if (isEngineError(error)) throw error
        throw new EngineError('unavailable', `the registry broke off layer ${digest}`, { cause: error })
      })
  })
}
