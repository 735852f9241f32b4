/** One pull, as a story: resolve, read the documents, fetch and unpack the layers, make them visible from below. */
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
import { createProgress } from './progress.ts'
import { unpackLayer } from './unpack.ts'

const layersAtOnce = 3

export interface PullRequest {
  reference: Reference
  client: RegistryClient
  content: ContentStore
  layers: LayerStore
  /** Names (diffIDs and digests) that a pull under way counts on, with how many pulls do. */
  leased: Map<string, number>
  known: (digest: Digest) => Image | null
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

export async function pullImage(request: PullRequest): Promise<PulledImage> {
  const { reference, client, credentials, signal, known } = request
  const what = `image ${formatReference(reference)}`
  const here = reference.digest ? known(reference.digest) : null
  if (here) return asPulled(here, request)
  const { digest, manifest } = await resolve(request, what)
  const found = known(digest)
  if (found) return asPulled(found, request)
  const configBytes = await client.fetchDocument(reference, manifest.config.digest, { credentials, signal })
  if (digestOf(configBytes) !== manifest.config.digest)
    throw new EngineError('corrupt', `the configuration of ${what} is not what its digest says`)
  const { config, diffIds, createdAt } = parseConfig(configBytes, `the configuration of ${what}`)
  if (diffIds.length !== manifest.layers.length)
    throw new EngineError(
      'corrupt',
      `${what} has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`,
    )
  await fetchLayers(request, manifest.layers, diffIds)
  return {
    digest,
    config,
    createdAt,
    layers: diffIds,
    blobs: manifest.layers.map((layer) => layer.digest),
    sizeBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
  }
}

function asPulled(image: Image, request: PullRequest): PulledImage {
  request.onProgress(
    image.layers.map((digest) => ({ digest, state: 'exists' as const, doneBytes: 0, totalBytes: 0 })),
  )
  return { ...image, blobs: [] }
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

async function fetchLayers(
  request: PullRequest,
  descriptors: Descriptor[],
  diffIds: Digest[],
): Promise<void> {
  const { layers, leased, onProgress, signal } = request
  const names = [...diffIds, ...descriptors.map(({ digest }) => digest)]
  for (const name of names) leased.set(name, (leased.get(name) ?? 0) + 1)
  const progress = createProgress(descriptors, onProgress)
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const staged = new Map<Digest, Promise<{ folder: string; implied: string[] }>>()
  const queue = descriptors.map((descriptor, index) => ({ descriptor, index, diffId: diffIds[index] ?? '' }))
  try {
    const work = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const { diffId, descriptor, index } = next
        if (layers.has(diffId) || staged.has(diffId)) {
          progress.set(index, 'exists', descriptor.size)
          continue
        }
        const done = fetchLayer({ ...request, signal: either }, descriptor, diffId, (state, bytes) =>
          progress.set(index, state, bytes),
        )
        staged.set(diffId, done)
        await done
      }
    }
    await Promise.all(Array.from({ length: layersAtOnce }, work))
    for (const [index, diffId] of diffIds.entries()) {
      const layer = await staged.get(diffId)
      staged.delete(diffId)
      if (!layer) continue
      await layers.commit(diffId, layer.folder, layer.implied, diffIds.slice(0, index))
      progress.set(index, 'done', descriptors[index]?.size ?? 0)
    }
    progress.flush()
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(staged.values())
    signal.throwIfAborted()
    throw error
  } finally {
    for (const name of names) {
      const others = (leased.get(name) ?? 1) - 1
      if (others === 0) leased.delete(name)
      else leased.set(name, others)
    }
  }
}

async function fetchLayer(
  { reference, client, content, layers, credentials, signal }: PullRequest,
  descriptor: Descriptor,
  diffId: Digest,
  report: (state: LayerProgress['state'], doneBytes: number) => void,
): Promise<{ folder: string; implied: string[] }> {
  const { digest, size } = descriptor
  if (!(await content.has(digest)))
    await retrying(signal, async () => {
      const have = Math.min(await content.ingestSize(digest), size)
      const { stream, offset } = await client.openBlob(reference, digest, {
        credentials,
        signal,
        offset: have === size ? 0 : have,
      })
      report('downloading', offset)
      await content
        .ingest(digest, stream, {
          offset,
          sizeBytes: size,
          signal,
          onBytes: (done) => report('downloading', done),
        })
        .catch((error: unknown) => {
          signal.throwIfAborted()
          if (isEngineError(error)) throw error
          throw new EngineError('unavailable', `the registry broke off layer ${digest}`, { cause: error })
        })
    })
  report('unpacking', size)
  const folder = await layers.stage(diffId)
  const { implied } = await unpackLayer(content.read(digest), diffId, folder, signal)
  // The unpacked layer is what runs; the compressed bytes could only be pushed again.
  await content.remove(digest)
  return { folder, implied }
}
