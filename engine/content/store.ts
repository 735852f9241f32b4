/**
 * Blobs by digest. An ingest is invisible until it is committed: bytes go to `ingest/<hex>`, are synced, verified and
 * renamed to `blobs/sha256/<hex>`, and the folder is synced. What was cut off is found by `ingestSize` and gone on
 * with; what nobody went on with for a day is swept when the store is opened.
 *
 * One caller at a time may be at a digest; others may be at others.
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '../errors.ts'
import { type Digest, digestHex } from '../oci/digest.ts'
import { isDiskFull, spaceLeft } from '../sys/disk.ts'
import { syncFolder } from '../sys/files.ts'

export interface ContentStore {
  has(digest: Digest): Promise<boolean>
  /** The blob's file, for reading; whoever opens it closes it. Throws not-found. Its bytes were verified. */
  open(digest: Digest): Promise<FileHandle>
  /** Bytes of an unfinished ingest, 0 if there is none. */
  ingestSize(digest: Digest): Promise<number>
  /**
   * Appends to the ingest from `offset` on (what lies after it is cut). What is not of this size or digest is dropped
   * (corrupt); what ended early stays, to be gone on with (unavailable). Throws failed-precondition when the disk is
   * full or would be.
   */
  ingest(digest: Digest, source: Readable, options: IngestOptions): Promise<void>
  /** Gone when it returns; no error if it is not there. */
  remove(digest: Digest): Promise<void>
}

export interface IngestOptions {
  offset: number
  sizeBytes: number
  /** Called with the bytes that are there by now. */
  onBytes?: (doneBytes: number) => void
  signal?: AbortSignal
}

const leftoverAgeMs = 24 * 3_600_000

/** @param folder made if need be; `blobs/` and `ingest/` lie in it. */
export async function createContentStore(folder: string): Promise<ContentStore> {
  const blobs = join(folder, 'blobs', 'sha256')
  const ingests = join(folder, 'ingest')
  for (const path of [blobs, ingests]) {
    await mkdir(path, { recursive: true, mode: 0o700 })
    // A blob lives for as long as its layer is being unpacked, so one found here was left by a pull that was cut off.
    await removeOlder(path, Date.now() - leftoverAgeMs)
  }
  const blobPath = (digest: Digest) => join(blobs, digestHex(digest))
  const ingestPath = (digest: Digest) => join(ingests, digestHex(digest))
  const sizeOf = (path: string) =>
    stat(path).then(
      (found) => found.size,
      () => null,
    )

  return {
    has: async (digest) => (await sizeOf(blobPath(digest))) !== null,
    ingestSize: async (digest) => (await sizeOf(ingestPath(digest))) ?? 0,
    remove: (digest) => rm(blobPath(digest), { force: true }),

    open: (digest) =>
      open(blobPath(digest), 'r').catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'ENOENT') throw cause
        throw new EngineError('not-found', `blob ${digest} is not on this host`, { cause })
      }),

    async ingest(digest, source, { offset, sizeBytes, onBytes, signal }) {
      const path = ingestPath(digest)
      const hash = createHash('sha256')
      try {
        if (sizeBytes - offset > spaceLeft(ingests)) throw diskFull(digest)
        if (offset > 0) await hashStart(path, offset, hash)
      } catch (error) {
        // Nobody else would end its connection.
        source.on('error', () => {}).destroy()
        throw error
      }
      let done = offset
      const check = async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          done += chunk.length
          if (done > sizeBytes)
            throw new EngineError('corrupt', `blob ${digest} is longer than its ${sizeBytes} bytes`)
          hash.update(chunk)
          onBytes?.(done)
          yield chunk
        }
      }
      const file = createWriteStream(path, { flags: offset > 0 ? 'r+' : 'w', start: offset, mode: 0o600 })
      await pipeline(source, check, file, { signal }).catch(async (error: unknown) => {
        if (error instanceof EngineError && error.kind === 'corrupt') await rm(path, { force: true })
        throw isDiskFull(error) ? diskFull(digest) : error
      })
      if (done < sizeBytes)
        throw new EngineError('unavailable', `blob ${digest} ended after ${done} of ${sizeBytes} bytes`)
      const found = `sha256:${hash.digest('hex')}`
      if (found !== digest) {
        await rm(path, { force: true })
        throw new EngineError('corrupt', `blob ${digest} is not what its digest says: its bytes are ${found}`)
      }
      const handle = await open(path, 'r+')
      try {
        await handle.truncate(sizeBytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(path, blobPath(digest))
      await syncFolder(blobs)
    },
  }
}

async function hashStart(path: string, length: number, hash: ReturnType<typeof createHash>): Promise<void> {
  for await (const chunk of createReadStream(path, { end: length - 1, highWaterMark: 1 << 20 }))
    hash.update(chunk)
}

async function removeOlder(folder: string, thanMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if ((await stat(path)).mtimeMs < thanMs) await rm(path, { force: true })
  }
}

function diskFull(digest: Digest): EngineError {
  return new EngineError('failed-precondition', `the disk has no room for blob ${digest}: free some`)
}
