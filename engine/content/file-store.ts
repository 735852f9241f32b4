/** The content store on a file system: `blobs/sha256/<hex>`, and `ingest/<hex>` for what is not all there yet. */
import { createHash, type Hash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '../errors.ts'
import { type Digest, digestHex, digestOf } from '../oci/digest.ts'
import { diskFull, isDiskFull, spaceLeft } from '../sys/disk.ts'
import { syncFolder } from '../sys/files.ts'
import type { Trash } from '../sys/trash.ts'
import { createAppender } from './appender.ts'
import type { ContentStore, IngestOptions } from './store.ts'

const bytesBetweenLooks = 64 * 2 ** 20

/** @param folder made if need be, on the file system of `trash`. */
export async function createContentStore(folder: string, trash: Trash): Promise<ContentStore> {
  const blobs = join(folder, 'blobs', 'sha256')
  const ingests = join(folder, 'ingest')
  for (const path of [blobs, ingests]) await mkdir(path, { recursive: true, mode: 0o700 })
  /** Names of the ingests that somebody is at. */
  const underWay = new Set<string>()
  const blobPath = (digest: Digest) => join(blobs, digestHex(digest))
  const sizeOf = (path: string) =>
    stat(path).then(
      (found) => found.size,
      () => null,
    )

  async function at<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
    underWay.add(name)
    try {
      return await work(join(ingests, name))
    } finally {
      underWay.delete(name)
    }
  }

  /** Makes a whole ingest visible, for good. */
  async function commit(path: string, digest: Digest, sizeBytes: number): Promise<void> {
    const handle = await open(path, 'r+')
    try {
      await handle.truncate(sizeBytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(path, 0o400)
    await rename(path, blobPath(digest))
    await syncFolder(blobs)
  }

  async function ingest(
    digest: Digest,
    source: Readable,
    { offset, sizeBytes, onBytes, readAlong, signal }: IngestOptions,
  ): Promise<void> {
    return at(digestHex(digest), async (path) => {
      const hash = createHash('sha256')
      try {
        if (sizeBytes - offset > spaceLeft(ingests)) throw diskFull(`blob ${digest}`)
        if (offset > 0) await hashStart(path, offset, hash)
      } catch (error) {
        letGo(source)
        throw error
      }
      let done = offset
      const take = async (chunks: AsyncIterable<Buffer>) => {
        const file = await open(path, offset > 0 ? 'r+' : 'w', 0o600)
        try {
          readAlong?.begin(await open(path, 'r'))
          readAlong?.came(offset)
          const appender = createAppender(file, offset, readAlong?.came)
          try {
            for await (const chunk of chunks) {
              done += chunk.length
              if (done > sizeBytes)
                throw new EngineError('corrupt', `blob ${digest} is longer than its ${sizeBytes} bytes`)
              hash.update(chunk)
              onBytes?.(done)
              await appender.write(chunk)
            }
          } finally {
            // Also of what breaks off: it is gone on with from there.
            await appender.end()
          }
        } finally {
          await file.close()
        }
      }
      let taking: Promise<void> | undefined
      await pipeline(source, (chunks) => (taking = take(chunks)), { signal }).catch(
        async (error: unknown) => {
          // When called off, the pipeline does not wait for what is being written.
          await taking?.catch(() => {})
          if (error instanceof EngineError && error.kind === 'corrupt') await rm(path, { force: true })
          throw isDiskFull(error) ? diskFull(`blob ${digest}`) : error
        },
      )
      if (done < sizeBytes)
        throw new EngineError('unavailable', `blob ${digest} ended after ${done} of ${sizeBytes} bytes`)
      const found = `sha256:${hash.digest('hex')}`
      if (found !== digest) {
        await rm(path, { force: true })
        throw new EngineError('corrupt', `blob ${digest} is not what its digest says: its bytes are ${found}`)
      }
      readAlong?.cameWhole()
      await commit(path, digest, sizeBytes)
    })
  }

  async function add(
    source: Readable,
    { maxBytes, beforeCommit, signal }: Parameters<ContentStore['add']>[1],
  ): Promise<{ digest: Digest; sizeBytes: number }> {
    // No digest has a name like this, so nobody goes on with it.
    return at(`new-${randomBytes(8).toString('hex')}`, async (path) => {
      const hash = createHash('sha256')
      let done = 0
      let unlooked = 0
      const check = async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          done += chunk.length
          unlooked -= chunk.length
          if (done > maxBytes)
            throw new EngineError('limit-exceeded', `what comes is larger than ${maxBytes} bytes`)
          if (unlooked < 0) {
            if (spaceLeft(ingests) < bytesBetweenLooks) throw diskFull('what comes')
            unlooked = bytesBetweenLooks
          }
          hash.update(chunk)
          yield chunk
        }
      }
      try {
        await pipeline(source, check, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal })
        const digest = `sha256:${hash.digest('hex')}`
        beforeCommit(digest)
        await commit(path, digest, done)
        return { digest, sizeBytes: done }
      } catch (error) {
        await rm(path, { force: true })
        throw isDiskFull(error) ? diskFull('what comes') : error
      }
    })
  }

  const opened = (digest: Digest) =>
    open(blobPath(digest), 'r').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause
      throw new EngineError('not-found', `blob ${digest} is not on this host`, { cause })
    })

  return {
    ingest,
    add,
    open: opened,
    has: async (digest) => (await sizeOf(blobPath(digest))) !== null,
    size: (digest) => sizeOf(blobPath(digest)),
    ingestSize: async (digest) => (await sizeOf(join(ingests, digestHex(digest)))) ?? 0,
    remove: (digest) => void trash.bury(blobPath(digest)),

    async read(digest) {
      const file = await opened(digest)
      const bytes = await readFile(file).finally(() => file.close())
      if (digestOf(bytes) === digest) return bytes
      throw new EngineError('corrupt', `blob ${digest} was damaged on this host's disk`)
    },

    async put(bytes) {
      const digest = digestOf(bytes)
      if ((await sizeOf(blobPath(digest))) === null)
        await add(Readable.from([bytes]), { maxBytes: bytes.length, beforeCommit: () => {} })
      return digest
    },

    async list() {
      const all = await Promise.all(
        (await readdir(blobs)).map(async (name) => ({
          digest: `sha256:${name}`,
          sizeBytes: await sizeOf(join(blobs, name)),
        })),
      )
      return all.flatMap(({ digest, sizeBytes }) => (sizeBytes === null ? [] : [{ digest, sizeBytes }]))
    },

    async dropIngests(isNeeded) {
      let bytes = 0
      for (const name of await readdir(ingests)) {
        const path = join(ingests, name)
        const size = await sizeOf(path)
        const isFree = !underWay.has(name) && (name.startsWith('new-') || !isNeeded(`sha256:${name}`))
        if (isFree && trash.bury(path)) bytes += size ?? 0
      }
      return bytes
    },
  }
}

/** Nobody else would end its connection. */
function letGo(source: Readable): void {
  source.on('error', () => {}).destroy()
}

async function hashStart(path: string, length: number, hash: Hash): Promise<void> {
  for await (const chunk of createReadStream(path, { end: length - 1, highWaterMark: 1 << 20 }))
    hash.update(chunk)
}
