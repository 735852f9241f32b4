/**
 * Volumes: folders that outlive containers. A volume belongs to one id range, so only containers of that range can
 * mount it; with a size it can't outgrow that. What is in use can't be removed. A volume with a size is a file system of
 * its own, so it can be copied as it is at one moment: it is frozen meanwhile, and who writes waits.
 */
import type { FileTree } from '../files/file-tree.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { DiskLimit } from './limited-folder.ts'

export interface Volumes {
  /** Finds it if it is there already, with the same range and size; throws already-exists for others. */
  create(spec: VolumeSpec): Promise<Volume>
  /** Throws not-found. */
  inspect(name: string): Promise<Volume>
  /** Those whose labels include all of these. */
  list(filter?: { labels?: Record<string, string> }): Promise<Volume[]>
  /** With all that is in it. Throws failed-precondition, naming who uses it; no error if it is not there. */
  remove(name: string): Promise<void>
  /** Counts what is in it: seconds, for many files. Throws not-found. */
  usage(name: string): Promise<{ usedBytes: number }>
  /**
   * Below this size resize() refuses it as it is at this moment: its content, what the file system has for itself, and
   * what it can't move. Throws not-found, and failed-precondition for a volume without a size.
   */
  leastSize(name: string): Promise<{ leastBytes: number }>
  /**
   * Another size, with all that is in it; the same again changes nothing. Throws failed-precondition while a container
   * that mounts it runs, and when its content needs more room than that.
   */
  resize(name: string, sizeBytes: number, options?: { signal?: AbortSignal }): Promise<Volume>
  /**
   * What is in it, whether a container mounts it or not. What is made belongs to whoever has the folder that it is made
   * in. What is under way ends when the volume is to get another size or content, or is removed.
   */
  files(name: string): FileTree
  readonly snapshots: VolumeSnapshots
}

/** Copies of volumes with a size. One that was cut off leaves nothing. A volume's go with it. */
export interface VolumeSnapshots {
  /**
   * Finds one that is there already. Whoever writes to the volume waits until the copy is made, which takes as long as
   * its content is large where the host's file system has no reflinks. Throws not-found, and failed-precondition for a
   * volume without a size.
   */
  create(id: string, options: { volume: string; signal?: AbortSignal }): Promise<VolumeSnapshot>
  list(filter?: { volume?: string }): Promise<VolumeSnapshot[]>
  /** No error if it is not there. */
  remove(id: string): Promise<void>
  /**
   * Copies a snapshot to where restore() takes it from, in the volume's size, while the volume is used. Does nothing
   * when that, or the restore itself, was done. Throws failed-precondition when it has no room in that size.
   */
  prepareRestore(id: string, options: { volume: string; keepAs: string; signal?: AbortSignal }): Promise<void>
  /**
   * What was prepared is the volume's content, and what that was before is the snapshot `keepAs`: at once, and all or
   * nothing of it. May be called again. Throws failed-precondition while a container that mounts it runs.
   */
  restore(id: string, options: { volume: string; keepAs: string }): Promise<void>
}

export interface VolumeSnapshot {
  id: string
  volume: string
  /** Of the volume, when it was made. */
  sizeBytes: number
  /** What it takes on disk. */
  allocatedBytes: number
  createdAt: string
}

export interface VolumeSpec {
  /** [a-z0-9][a-z0-9_.-]{0,62} */
  name: string
  idRange: IdRange
  /** At least 16 MiB; default: not limited. */
  sizeBytes?: number
  labels?: Record<string, string>
}

export interface Volume {
  name: string
  idRange: IdRange
  sizeBytes: number | null
  /** What limits it. */
  limitedBy: DiskLimit
  labels: Record<string, string>
  createdAt: string
  /** Ids of containers that mount it, whether they run or not. */
  usedBy: string[]
}

/** What containers need of volumes. */
export interface VolumePlaces {
  /** Throws not-found, and failed-precondition when it is of another range. */
  mustFit(name: string, idRange: IdRange): void
  /** Where its data is, mounted while at least one user has it open; `direct`: past the host's cache, soon after that. */
  open(name: string, user: string, options?: { direct?: boolean }): Promise<string>
  /**
   * Lends the folder of one that is open and empty, for its first content, until the work has answered once that there
   * was some. Nothing happens to one that is not empty, or that somebody else has open. What a cut left of an earlier
   * try is not there any more.
   */
  fill(name: string, work: (data: string) => Promise<boolean>): Promise<void>
  /** Lets go of all that a user has open. */
  close(user: string): Promise<void>
  /** These users run on; whatever else is mounted, or on disk without a row, goes. */
  recover(users: { id: string; volumes: string[] }[]): Promise<void>
}
