import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskUsage, ImageUsage } from '../garbage.ts'
import type { Digest } from '../oci/digest.ts'
import { measureDisk } from '../sys/disk.ts'
import { diskUsage } from '../sys/disk-usage.ts'
import { type ImageParts, needed } from './parts.ts'

export interface Sizes {
  /** Bytes that unpacked layers take on disk, by diffID. */
  layers: Map<Digest, number>
  /** Bytes of packed layers and documents. */
  blobs: Map<Digest, number>
}

export async function sizesOf({ layers, content }: ImageParts, signal?: AbortSignal): Promise<Sizes> {
  const blobs = (await content.list()).map(({ digest, sizeBytes }) => [digest, sizeBytes] as const)
  return { layers: await layers.sizes(signal), blobs: new Map(blobs) }
}

export async function measureUsage(
  parts: ImageParts,
  usedBy: (digest: Digest) => string[],
  signal?: AbortSignal,
): Promise<DiskUsage> {
  const { rows, stateDir, state } = parts
  const sizes = await sizesOf(parts, signal)
  const sizeOf = (digest: Digest) => (sizes.layers.get(digest) ?? 0) + (sizes.blobs.get(digest) ?? 0)
  const all = rows.all().map((image) => ({ image, contents: rows.contents(image.digest) }))
  const owners = new Map<Digest, number>()
  for (const { contents } of all)
    for (const digest of contents) owners.set(digest, (owners.get(digest) ?? 0) + 1)
  const images = all.map(({ image, contents }): ImageUsage => {
    const sum = (digests: Digest[]) => digests.reduce((bytes, digest) => bytes + sizeOf(digest), 0)
    const uniqueBytes = sum(contents.filter((digest) => owners.get(digest) === 1))
    const sizeBytes = sum(contents)
    const { digest, references, usedAt } = image
    return {
      digest,
      references,
      usedAt,
      sizeBytes,
      uniqueBytes,
      sharedBytes: sizeBytes - uniqueBytes,
      containers: usedBy(digest),
    }
  })
  const containers = state.db.prepare('SELECT id, image FROM containers ORDER BY id').all()
  // The whole of it: a limited one is a file system in a file.
  const snapshotOf = (id: unknown) => join(stateDir, 'snapshots', String(id))
  const logOf = (id: unknown) => join(stateDir, 'containers', String(id))
  const volumes = await readdir(join(stateDir, 'volumes')).catch(() => [])
  const volumeOf = (name: string) => join(stateDir, 'volumes', name)
  const paths = containers.flatMap(({ id }) => [snapshotOf(id), logOf(id)])
  const measured = await diskUsage([...paths, ...volumes.map(volumeOf)], signal)
  const free = images.filter((image) => image.containers.length === 0).map(({ digest }) => digest)
  const stays = needed(parts, free)
  const everything = [...sizes.layers, ...sizes.blobs]
  const total = (list: (readonly [Digest, number])[]) => list.reduce((sum, [, bytes]) => sum + bytes, 0)
  return {
    disk: measureDisk(stateDir),
    images,
    layers: [...sizes.layers].map(([diffId, sizeBytes]) => ({
      diffId,
      sizeBytes,
      images: all.filter(({ image }) => image.layers.includes(diffId)).length,
    })),
    containers: containers.map(({ id, image }) => ({
      id: String(id),
      image: String(image),
      writableBytes: measured.get(snapshotOf(id)) ?? 0,
      logBytes: measured.get(logOf(id)) ?? 0,
    })),
    volumes: volumes.map((name) => ({ name, sizeBytes: measured.get(volumeOf(name)) ?? 0 })),
    imageBytes: total(everything),
    reclaimableBytes: total(everything.filter(([digest]) => !stays.has(digest))),
  }
}
