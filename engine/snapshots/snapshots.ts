/**
 * Snapshots: what a container's root file system is mounted from. The snapshotter never starts a container and the
 * runtime never reads a layer: they meet at `RootMount`.
 *
 * `prepare` makes (or finds) the writable layer of a container over an image's layers; `mount` mounts it, owned by the
 * given id range (layers are stored once, owned by 0, and idmapped at mount); `unmount` and `remove` may be called at
 * any time, twice, and after a reboot.
 */

import type { Readable } from 'node:stream'
import type { IdRange } from '../sys/user-namespace.ts'
import type { DiskLimit } from '../volumes/limited-folder.ts'

export interface Snapshots {
  /** `diskBytes` limits the writable layer. */
  prepare(key: string, layers: string[], diskBytes?: number): Promise<void>
  mount(key: string, target: string, idRange: IdRange): Promise<void>
  unmount(key: string, target: string): Promise<void>
  /** Lends the writable layer's folder, and those of the image's layers, topmost first. */
  lookAt<T>(key: string, work: (parts: { upper: string; layers: string[] }) => Promise<T>): Promise<T>
  remove(key: string): Promise<void>
  /** Lets go of the file system of a limited layer that is not mounted in a container. */
  closeDisk(key: string): void
  /** What keeps a layer from outgrowing its limit. */
  diskLimit(key: string, diskBytes: number | undefined): DiskLimit
  /**
   * What was written since `prepare`, as the tar of a layer: owners as the container sees them, whiteouts for what was
   * removed. What fails fails the stream.
   */
  changes(key: string, idRange: IdRange, signal?: AbortSignal): Promise<Readable>
  /** Keys of all writable layers on disk. */
  list(): Promise<string[]>
}
