/** Which images and packed layers go first. What is chosen is true until the next turn of the loop. */
import type { CollectOptions } from '../garbage.ts'
import type { Digest } from '../oci/digest.ts'
import type { Image } from './images.ts'
import { type ImageParts, needed } from './parts.ts'
import type { Sizes } from './usage.ts'

/** @param candidates those of no use for longest first */
export function chooseByAge(candidates: Image[], usedBeforeMs: number): Image[] {
  return candidates.filter(({ usedAt }) => Date.parse(usedAt) <= usedBeforeMs)
}

export interface RoomRequest {
  /** Those of no use for longest first. */
  candidates: Image[]
  /** Those that go anyway. */
  chosen: Image[]
  sizes: Sizes
  room: NonNullable<CollectOptions['room']>
  disk: { totalBytes: number; freeBytes: number }
}

export function chooseForRoom(
  parts: ImageParts,
  { candidates, chosen, sizes, room, disk }: RoomRequest,
): { images: Image[]; blobs: Digest[] } {
  const used = disk.totalBytes - disk.freeBytes
  let excess = used - (disk.totalBytes * room.lowPercent) / 100
  if (used <= (disk.totalBytes * room.highPercent) / 100) return { images: [], blobs: [] }
  const gone = chosen.map(({ digest }) => digest)
  let stays = needed(parts, gone)
  for (const [digest, bytes] of [...sizes.layers, ...sizes.blobs]) if (!stays.has(digest)) excess -= bytes

  const blobs: Digest[] = []
  for (const digest of fetchableBlobs(parts, gone)) {
    if (excess <= 0) break
    const bytes = sizes.blobs.get(digest)
    if (bytes === undefined || !stays.has(digest)) continue
    blobs.push(digest)
    excess -= bytes
  }

  const images: Image[] = []
  for (const image of candidates) {
    if (excess <= 0) break
    if (chosen.includes(image)) continue
    images.push(image)
    gone.push(image.digest)
    const left = needed(parts, gone)
    for (const digest of stays) {
      if (left.has(digest)) continue
      excess -= sizes.layers.get(digest) ?? 0
      if (!blobs.includes(digest)) excess -= sizes.blobs.get(digest) ?? 0
    }
    stays = left
  }
  return { images, blobs }
}

/** Packed layers that a registry can give again and nobody works with, those of no use for longest first. */
function fetchableBlobs({ rows, leases, busy }: ImageParts, without: Digest[]): Digest[] {
  const images = rows.all().filter(({ digest }) => !without.includes(digest))
  const held = new Set(leases.digests())
  for (const { digest, blobs } of images) if (busy.has(digest)) for (const blob of blobs) held.add(blob)
  const usedAt = new Map<Digest, number>()
  for (const image of images)
    for (const blob of image.blobs)
      usedAt.set(blob, Math.max(usedAt.get(blob) ?? 0, Date.parse(image.usedAt)))
  return [...usedAt]
    .filter(([blob]) => !held.has(blob) && rows.sources(blob).length > 0)
    .sort(([, a], [, b]) => a - b)
    .map(([blob]) => blob)
}
