import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Digest } from '../oci/digest.ts'
import { type ImageParts, needed } from './parts.ts'

export interface Swept {
  layers: Digest[]
  blobs: { digest: Digest; sizeBytes: number }[]
  ingestBytes: number
}

/** So few at once that nobody notices the wait. */
const atOnce = 50

/**
 * Removes the blobs, layers and unfinished ingests that nothing needs. It may run at any time: what is needed is looked
 * up anew for each batch, and is removed in the same step, so nobody can begin to need it in between.
 */
export async function sweepUnneeded(parts: ImageParts): Promise<Swept> {
  const swept: Swept = { layers: [], blobs: [], ingestBytes: 0 }
  const { layers, content, rows, proofs } = parts
  for (;;) {
    const keep = needed(parts)
    const some = layers
      .list()
      .filter((diffId) => !keep.has(diffId))
      .slice(0, atOnce)
    if (some.length === 0) break
    layers.remove(some)
    swept.layers.push(...some)
    await nextTurn()
  }
  const blobs = await content.list()
  for (let at = 0; at < blobs.length; at += atOnce) {
    const keep = needed(parts)
    const some = blobs.slice(at, at + atOnce).filter(({ digest }) => !keep.has(digest))
    for (const { digest } of some) content.remove(digest)
    if (some.length > 0) rows.forgetSources(some.map(({ digest }) => digest))
    swept.blobs.push(...some)
    await nextTurn()
  }
  swept.ingestBytes = await content.dropIngests((digest) => needed(parts).has(digest))
  proofs.sweep(needed(parts))
  return swept
}
