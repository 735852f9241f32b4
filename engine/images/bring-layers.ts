/**
 * Brings an image's layers onto this host: several are fetched at once, each unpacked while it comes, and visible as soon as
 * those below it are, and whoever wants one of them at the same time shares the work. Where the packed bytes come from
 * is the caller's matter.
 */
import type { ContentStore, ReadAlong } from '../content/store.ts'
import { type Digest, digestHex } from '../oci/digest.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { createProgress } from '../registry/progress.ts'
import type { HeldLayer, HeldLayers, ReportLayer } from './held-layers.ts'
import type { LayerProgress } from './images.ts'
import type { LayerStore } from './layer-store.ts'
import type { Proofs, Realm } from './proofs.ts'
import { unpackAlong } from './unpack-along.ts'

const layersAtOnce = 3

export interface BringParts {
  content: ContentStore
  layers: LayerStore
  held: HeldLayers
  proofs: Proofs
  /** Whether packed layers stay once they are unpacked. */
  keepBlobs: boolean
}

/** Makes sure that a packed layer is in the content store; lets `along` read while it comes. */
export type FetchLayer = (
  layer: Descriptor,
  tell: ReportLayer,
  signal: AbortSignal,
  along: ReadAlong,
) => Promise<void>

/** Has the source send all of a packed layer that others brought here. */
export type ProveLayer = (layer: Descriptor, tell: ReportLayer, signal: AbortSignal) => Promise<void>

export interface BringRequest extends BringParts {
  /** For whom; a realm must be able to prove. */
  realm?: Realm
  fetch: FetchLayer
  prove?: ProveLayer
  onProgress: (layers: LayerProgress[]) => void
  signal: AbortSignal
}

/** A layer of the image: what to fetch, what it must unpack to, and our hold on it. */
interface Wanted {
  descriptor: Descriptor
  diffId: Digest
  held: HeldLayer
  report: ReportLayer
  release(): void
}

/** Answers when every layer is visible. A lease on their digests is the caller's to hold. */
export async function bringLayers(
  request: BringRequest,
  descriptors: Descriptor[],
  diffIds: Digest[],
): Promise<void> {
  const progress = createProgress<LayerProgress['state']>(descriptors, request.onProgress)
  const failed = new AbortController()
  const signal = AbortSignal.any([request.signal, failed.signal])
  const wanted = descriptors.map((descriptor, index): Wanted => {
    const diffId = diffIds[index] ?? ''
    const report: ReportLayer = (state, doneBytes) =>
      progress.set(index, state, Math.min(doneBytes, descriptor.size))
    return { descriptor, diffId, report, ...request.held.hold(diffId, report) }
  })
  try {
    await bringAll({ ...request, signal }, wanted, failed)
  } catch (error) {
    request.signal.throwIfAborted()
    throw error
  } finally {
    progress.end()
    for (const { release } of wanted) release()
  }
}

async function bringAll(request: BringRequest, wanted: Wanted[], failed: AbortController): Promise<void> {
  const queue = [...wanted]
  const brought = new Map(wanted.map(({ diffId }) => [diffId, Promise.withResolvers<void>()]))
  const bringSome = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await bring(request, next)
      brought.get(next.diffId)?.resolve()
    }
  }
  const showAll = async () => {
    for (const [index, { diffId, held, descriptor }] of wanted.entries()) {
      await brought.get(diffId)?.promise
      const below = wanted.slice(0, index).map((layer) => layer.diffId)
      await request.held.takeTurn(diffId, request.signal, async () => {
        const { staged } = held
        if (staged === null) return
        await request.layers.commit(diffId, staged, below)
        held.staged = null
        held.tell('done', descriptor.size)
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

/** Fetches and unpacks a layer, unless it is here, or another did so a moment ago, and the realm may use it. */
async function bring(request: BringRequest, { descriptor, diffId, held, report }: Wanted): Promise<void> {
  const { layers, content, proofs, realm = null, signal } = request
  const { digest, size } = descriptor
  await request.held.takeTurn(diffId, signal, async () => {
    const isHere = layers.has(diffId)
    const isUnpacked = isHere || held.staged !== null
    const found = () => {
      if (isHere) report('exists', size)
    }
    if (isUnpacked && proofs.hasLayer(realm, digest, diffId)) return found()
    // One blob under two diffIDs: at most one of them is true, but both may be claimed.
    await request.held.takeTurn(blobTurn(digest), signal, async () => {
      const isKnown = isUnpacked && proofs.isPair(digest, diffId)
      if (realm !== null && (isKnown || (await content.has(digest)))) {
        if (request.prove === undefined) throw new Error('a realm needs a source that proves')
        await request.prove(descriptor, report, signal)
        if (isKnown) {
          proofs.addLayer(realm, digest, diffId)
          return found()
        }
      }
      const unpacking = unpackAlong(digest, diffId, request)
      try {
        await request.fetch(descriptor, held.tell, signal, unpacking)
        held.tell('unpacking', size)
        const staged = await unpacking.finish()
        proofs.addLayer(realm, digest, diffId)
        // What others packed differently is there already.
        if (isUnpacked) layers.discard(staged.folder)
        else held.staged = staged
        found()
      } catch (error) {
        await unpacking.abandon()
        throw error
      } finally {
        if (!request.keepBlobs && !signal.aborted) content.remove(digest)
      }
    })
  })
}

/** The name under which those who write a blob take turns: an uncompressed layer has the digest of its blob. */
export function blobTurn(digest: Digest): string {
  return `blob ${digestHex(digest)}`
}
