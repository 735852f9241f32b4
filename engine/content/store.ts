/**
 * Blobs by digest. An ingest is invisible until it is committed: bytes go to `ingest/<hex>`, are synced, verified and
 * renamed to `blobs/sha256/<hex>`, and the folder is synced. What was cut off is found by `ingestSize` and gone on
 * with; what nobody goes on with is swept.
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '../errors.ts'
import { type Digest, digestHex } from '../oci/digest.ts'
import { syncFolder } from '../sys/files.ts'

export interface ContentStore {
  has(digest: Digest): Promise<boolean>
  /** The bytes; throws not-found. They were verified when they came. */
  read(digest: Digest): Readable
  /** Bytes of an unfinished ingest, 0 if there is none. */
  ingestSize(digest: Digest): Promise<number>
  /** Appends to the ingest from `offset` on (what lies after it is cut). What is not of this size or digest is dropped. */
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

/** @param folder made if need be; `blobs/` and `ingest/` lie in it. */
export async function createContentStore(folder: string): Promise<ContentStore> {
  const blobs = join(folder, 'blobs', 'sha256')
  const ingests = join(folder, 'ingest')
  await mkdir(blobs, { recursive: true, mode: 0o700 })
  await mkdir(ingests, { recursive: true, mode: 0o700 })
  const blobPath = (digest: Digest) => join(blobs, digestHex(digest))
  const ingestPath = (digest: Digest) => join(ingests, digestHex(digest))
  const sizeOf = (path: string) =>
    stat(path).then(
      (found) => found.size,
      () => null,
    )

  return {
    has: async (digest) => (await sizeOf(blobPath(digest))) !== null,
    read: (digest) => createReadStream(blobPath(digest), { highWaterMark: 1 << 20 }),
    ingestSize: async (digest) => (await sizeOf(ingestPath(digest))) ?? 0,
    remove: (digest) => rm(blobPath(digest), { force: true }),

    async ingest(digest, source, { offset, sizeBytes, onBytes, signal }) {
      const path = ingestPath(digest)
      const hash = createHash('sha256')
      if (offset > 0) {
        for await (const chunk of createReadStream(path, { end: offset - 1, highWaterMark: 1 << 20 }))
          hash.update(chunk)
      }
      let done = offset
      const count = async function* (chunks: AsyncIterable<Buffer>) {
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
      try {
        await pipeline(source, count, file, { signal })
      } catch (error) {
        if (error instanceof EngineError) await rm(path, { force: true })
        throw error
      }
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
