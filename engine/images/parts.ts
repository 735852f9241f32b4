/** What the image half of the engine is made of; put together here, and taken apart again. */
import { join } from 'node:path'
import { createContentStore } from '../content/file-store.ts'
import type { ContentStore } from '../content/store.ts'
import type { Digest } from '../oci/digest.ts'
import type { State } from '../state/database.ts'
import { openTrash, type Trash } from '../sys/trash.ts'
import { createHeldLayers, type HeldLayers } from './held-layers.ts'
import { createImageRows, type ImageRows } from './image-rows.ts'
import { createLayerStore, type LayerStore } from './layer-store.ts'
import { createLeases, type Leases } from './leases.ts'
import { createProofs, type Proofs } from './proofs.ts'

export interface ImageParts {
  stateDir: string
  state: State
  trash: Trash
  content: ContentStore
  layers: LayerStore
  rows: ImageRows
  leases: Leases
  proofs: Proofs
  held: HeldLayers
  /** Images that some work here counts on at this moment, each with how much. */
  busy: Map<Digest, number>
}

/** Opens what is under `stateDir`; what an earlier process was cut off from is swept or can be gone on with. */
export async function openImageParts(stateDir: string, state: State): Promise<ImageParts> {
  const trash = openTrash(join(stateDir, 'trash'))
  const content = await createContentStore(join(stateDir, 'content'), trash)
  const layers = await createLayerStore(stateDir, state, trash)
  const rows = createImageRows(state)
  const leases = createLeases(state)
  const proofs = createProofs(state)
  const held = createHeldLayers(({ folder }) => layers.discard(folder))
  return { stateDir, state, trash, content, layers, rows, leases, proofs, held, busy: new Map() }
}

/** Everything that must stay: what images, containers and leases are made of. One step, so it holds until the next. */
export function needed({ rows, leases }: ImageParts, without?: Digest[]): Set<Digest> {
  return new Set([...rows.needed(without), ...leases.digests()])
}

/** The image cannot be removed while the work goes on. Throws not-found. */
export async function usingImage<T>(
  { rows, busy }: ImageParts,
  key: string,
  work: (digest: Digest) => Promise<T>,
): Promise<T> {
  const { digest } = rows.get(key)
  busy.set(digest, (busy.get(digest) ?? 0) + 1)
  rows.touch(digest)
  try {
    return await work(digest)
  } finally {
    const left = (busy.get(digest) ?? 1) - 1
    if (left > 0) busy.set(digest, left)
    else busy.delete(digest)
  }
}
