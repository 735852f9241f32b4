import { EngineError } from '../errors.ts'
import type { Collected, CollectOptions, Garbage } from '../garbage.ts'
import type { Digest } from '../oci/digest.ts'
import { measureDisk } from '../sys/disk.ts'
import { chooseByAge, chooseForRoom } from './choose-garbage.ts'
import { type ImageParts, needed } from './parts.ts'
import { sweepUnneeded } from './sweep.ts'
import { measureUsage, type Sizes, sizesOf } from './usage.ts'

const defaultGraceMs = 3_600_000

/** @param usedBy ids of the containers that are made of the image of this digest */
export function createGarbage(parts: ImageParts, usedBy: (digest: Digest) => string[]): Garbage {
  const { rows, content } = parts

  async function collect(options: CollectOptions = {}): Promise<Collected> {
    checkRoom(options.room)
    const { signal, dryRun = false, graceMs = defaultGraceMs, unusedForMs, room } = options
    const sizes = await sizesOf(parts, signal)
    // From here to the sweep nothing waits: choosing and removing are one step, and nobody begins to use it in between.
    const kept = new Set((options.keep ?? []).map((key) => rows.find(key)?.digest ?? key))
    const isFree = (digest: Digest) =>
      !kept.has(digest) && !parts.busy.has(digest) && usedBy(digest).length === 0
    const now = Date.now()
    const candidates = rows
      .all()
      .filter((image) => isFree(image.digest) && Date.parse(image.usedAt) <= now - graceMs)
      .filter((image) => !options.danglingOnly || image.references.length === 0)
      .filter(({ config }) => Object.entries(options.labels ?? {}).every(isLabelOf(config.labels)))
      .filter(({ config }) => !Object.entries(options.withoutLabels ?? {}).some(isLabelOf(config.labels)))
      .sort((a, b) => Date.parse(a.usedAt) - Date.parse(b.usedAt))
    const old = unusedForMs === undefined ? [] : chooseByAge(candidates, now - unusedForMs)
    const more = room
      ? chooseForRoom(parts, { candidates, chosen: old, sizes, room, disk: measureDisk(parts.stateDir) })
      : { images: [], blobs: [] }
    const chosen = [
      ...old.map((image) => ({ ...image, reason: 'unused' as const })),
      ...more.images.map((image) => ({ ...image, reason: 'room' as const })),
    ]
    signal?.throwIfAborted()
    if (dryRun) {
      const digests = chosen.map(({ digest }) => digest)
      return report(chosen, sizes, unneeded(digests, sizes, more.blobs), 0)
    }
    // Until now they were of use: their age counts from here.
    rows.touch(...rows.all().flatMap(({ digest }) => (isFree(digest) ? [] : [digest])))
    for (const { digest } of chosen) rows.remove(digest)
    for (const digest of more.blobs) content.remove(digest)
    const swept = await sweepUnneeded(parts)
    const blobs = [...new Set([...swept.blobs.map(({ digest }) => digest), ...more.blobs])]
    return report(chosen, sizes, { layers: swept.layers, blobs }, swept.ingestBytes)
  }

  /** What nothing would need without these images. */
  function unneeded(without: Digest[], sizes: Sizes, dropped: Digest[]) {
    const stays = needed(parts, without)
    return {
      layers: [...sizes.layers.keys()].filter((diffId) => !stays.has(diffId)),
      blobs: [...sizes.blobs.keys()].filter((digest) => !stays.has(digest) || dropped.includes(digest)),
    }
  }

  return { collect, usage: ({ signal } = {}) => measureUsage(parts, usedBy, signal) }
}

function report(
  images: Collected['images'],
  sizes: Sizes,
  gone: { layers: Digest[]; blobs: Digest[] },
  ingestBytes: number,
): Collected {
  const layers = gone.layers.map((diffId) => ({ diffId, sizeBytes: sizes.layers.get(diffId) ?? 0 }))
  const blobs = gone.blobs.map((digest) => ({ digest, sizeBytes: sizes.blobs.get(digest) ?? 0 }))
  const freedBytes = [...layers, ...blobs].reduce((sum, { sizeBytes }) => sum + sizeBytes, ingestBytes)
  return {
    images: images.map(({ digest, references, reason }) => ({ digest, references, reason })),
    layers,
    blobs,
    freedBytes,
  }
}

function checkRoom(room: CollectOptions['room']): void {
  if (room === undefined || (room.lowPercent >= 0 && room.lowPercent <= room.highPercent)) return
  throw new EngineError(
    'invalid',
    `room is made from ${room.highPercent} % down to ${room.lowPercent} %: the second must be the smaller one`,
  )
}

function isLabelOf(labels: Record<string, string>): (wanted: [string, string | null]) => boolean {
  return ([name, value]) => Object.hasOwn(labels, name) && (value === null || labels[name] === value)
}
