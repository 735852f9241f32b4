/**
 * Blobs by digest: layers as they were packed, and the documents that speak of them (manifests, indexes,
 * configurations), byte for byte as they came.
 *
 * **An ingest is invisible until it is committed.** Bytes are written to a place of their own; when all are there they
 * are synced, checked against size and digest, and become visible by one rename that survives a power cut. So whoever
 * sees a blob sees all of it, and its bytes are what its digest says.
 *
 * An ingest by digest that was cut off stays: `ingestSize` says how much there is, and `ingest` goes on from there.
 * One caller at a time may be at a digest; others may be at others. `remove` takes a blob out of sight at once, and
 * whoever has it open reads on.
 *
 * The store keeps everything until it is told to remove it: what still needs what is for the garbage collector to know.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Digest } from '../oci/digest.ts'

export interface ContentStore {
  has(digest: Digest): Promise<boolean>
  /** Size of a blob in bytes; null if it is not here. */
  size(digest: Digest): Promise<number | null>
  /** The blob's file, for reading; whoever opens it closes it. Throws not-found. */
  open(digest: Digest): Promise<FileHandle>
  /** A document, whole. Throws not-found, and corrupt when the disk gave back something else than was written. */
  read(digest: Digest): Promise<Buffer>
  /** Bytes of an unfinished ingest, 0 if there is none. */
  ingestSize(digest: Digest): Promise<number>
  /**
   * Appends to the ingest from `offset` on (what lies after it is cut). What is not of this size or digest is dropped
   * (corrupt); what ended early stays, to be gone on with (unavailable). Throws disk-full when the disk is full or
   * would be.
   */
  ingest(digest: Digest, source: Readable, options: IngestOptions): Promise<void>
  /**
   * Takes in bytes whose digest is only known at their end; nothing stays of them unless they end well. Throws
   * limit-exceeded and disk-full.
   */
  add(source: Readable, options: AddOptions): Promise<{ digest: Digest; sizeBytes: number }>
  /** Takes in a document. No error if it is here already. */
  put(bytes: Buffer): Promise<Digest>
  /** Out of sight when it returns; no error if it is not there. */
  remove(digest: Digest): void
  /** Every blob that is visible. */
  list(): Promise<{ digest: Digest; sizeBytes: number }[]>
  /** Drops the unfinished ingests that nobody is at and that `isNeeded` says no to; answers with their bytes. */
  dropIngests(isNeeded: (digest: Digest) => boolean): Promise<number>
}

export interface IngestOptions {
  offset: number
  sizeBytes: number
  /** Called with the bytes that are there by now. */
  onBytes?: (doneBytes: number) => void
  readAlong?: ReadAlong
  signal?: AbortSignal
}

/**
 * Reads an ingest's file while it grows. Nobody has verified these bytes, or they are not on disk for good: what is
 * made of them counts only once `ingest` has answered.
 */
export interface ReadAlong {
  /** Called with the file, which is the callee's to close. Called again when all begins anew, with another file. */
  begin(file: FileHandle): void
  /** So many bytes from its start on can be read by now. */
  came(bytes: number): void
  /** All of them can be read and have the right digest, while they are still being brought to disk. */
  cameWhole(): void
}

export interface AddOptions {
  maxBytes: number
  /** Called right before the blob becomes visible: the place to say who needs it. */
  beforeCommit: (digest: Digest) => void
  signal?: AbortSignal
}
