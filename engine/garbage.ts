/**
 * What the engine keeps on disk, and what of it may go.
 *
 * Nothing goes that something needs: an image that a container is made of, that somebody works with or that the caller
 * keeps; a layer or blob of an image, a container or a lease. That holds while pulls and containers run. What nothing
 * needs always goes. Of the images between, those go that were of no use for longest:
 *
 * 1. every one that was of no use for `unusedForMs`;
 * 2. when the disk is fuller than `room.highPercent`, until it is no fuller than `room.lowPercent`: first packed layers
 *    that a registry can give again (images run without them), then images.
 *
 * What a container is made of, or what is kept, is of use for as long as that is so: its age begins afterwards.
 *
 * An image that was of use within the last hour stays in any case, unless `graceMs` says otherwise: whoever pulled it is
 * about to make something of it.
 */
import type { Digest } from './oci/digest.ts'

export interface Garbage {
  /** What takes how much. It reads what it has not measured before, so the first answer may take seconds. */
  usage(options?: { signal?: AbortSignal }): Promise<DiskUsage>
  /** Removes what may go; with `dryRun` only says what would. May be called at any time, also twice at once. */
  collect(options?: CollectOptions): Promise<Collected>
}

export interface CollectOptions {
  /** Images that stay whatever their age, by digest: what runs elsewhere may be gone back to. */
  keep?: Digest[]
  /** Default: age alone is no reason. */
  unusedForMs?: number
  /** Default: how full the disk is does not matter. */
  room?: { highPercent: number; lowPercent: number }
  /** Default 1 hour. */
  graceMs?: number
  /** Of the images, only those without a name. */
  danglingOnly?: boolean
  /** Of the images, only those whose labels include all of these; null stands for any value. */
  labels?: Record<string, string | null>
  /** Of the images, only those that have none of these. */
  withoutLabels?: Record<string, string | null>
  dryRun?: boolean
  signal?: AbortSignal
}

export interface Collected {
  images: { digest: Digest; references: string[]; reason: 'unused' | 'room' }[]
  layers: { diffId: Digest; sizeBytes: number }[]
  blobs: { digest: Digest; sizeBytes: number }[]
  /** Of everything above, and of unfinished downloads that nobody goes on with. */
  freedBytes: number
}

export interface DiskUsage {
  /** The file system that the state folder is on. */
  disk: { totalBytes: number; freeBytes: number; usedPercent: number }
  images: ImageUsage[]
  layers: LayerUsage[]
  containers: { id: string; image: Digest; writableBytes: number; logBytes: number }[]
  volumes: { name: string; sizeBytes: number }[]
  /** All of images, layers and packed layers, each counted once. */
  imageBytes: number
  /** What collect() could free now if no image was kept but those of containers. */
  reclaimableBytes: number
}

export interface ImageUsage {
  digest: Digest
  references: string[]
  /** Unpacked and packed layers, and documents. */
  sizeBytes: number
  /** What would be free without it. */
  uniqueBytes: number
  /** What other images have as well. */
  sharedBytes: number
  /** Ids of the containers that are made of it. */
  containers: string[]
  usedAt: string
}

export interface LayerUsage {
  diffId: Digest
  /** Unpacked. */
  sizeBytes: number
  /** How many images have it. */
  images: number
}
