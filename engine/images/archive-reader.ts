/**
 * Reads an archive of images (a tar, as it is or compressed) from its beginning to its end, once: large files go into
 * the content store, small ones are kept. Nothing of it is ever written under a name that the archive chose.
 */
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import type { ContentStore } from '../content/store.ts'
import { EngineError, isEngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { maxDocumentBytes, maxLayerBytes } from '../oci/manifest.ts'
import { decompress } from './decompress.ts'
import type { Lease } from './leases.ts'

const maxEntries = 20_000
const maxKeptBytes = 64 * 2 ** 20
const maxLinks = 8

export interface Archive {
  /** The file of this path; links within the archive are followed. Null if there is none. */
  find(path: string): ArchiveFile | null
  /** A small file, whole. Throws corrupt when it is not there, and limit-exceeded. */
  read(path: string): Promise<Buffer>
}

export interface ArchiveFile {
  /** Of its bytes, as they were read. */
  digest: Digest
  sizeBytes: number
  /** Null when it is in the content store. */
  bytes: Buffer | null
}

export interface ReadArchiveOptions {
  content: ContentStore
  /** Gets the digest of everything that goes into the content store. */
  lease: Lease
  /** Of everything in the archive, unpacked. */
  maxBytes: number
  signal?: AbortSignal
}

type Entry = { kind: 'file'; file: ArchiveFile } | { kind: 'link'; target: string }

export async function readArchive(source: Readable, options: ReadArchiveOptions): Promise<Archive> {
  const { content, lease, maxBytes, signal } = options
  const entries = new Map<string, Entry>()
  let total = 0
  let kept = 0
  let count = 0

  async function take(name: string, size: number, bytes: AsyncIterable<Buffer>): Promise<ArchiveFile> {
    total += size
    if (size > maxLayerBytes || total > maxBytes)
      throw new EngineError(
        'limit-exceeded',
        `the archive unpacks to more than ${Math.min(maxBytes, maxLayerBytes)} bytes: ${shown(name)} alone has ${size}`,
      )
    if (size <= maxDocumentBytes && kept + size <= maxKeptBytes) {
      kept += size
      const chunks: Buffer[] = []
      for await (const chunk of bytes) chunks.push(chunk)
      const whole = Buffer.concat(chunks)
      return { digest: digestOf(whole), sizeBytes: whole.length, bytes: whole }
    }
    const added = await content.add(Readable.from(bytes), {
      maxBytes: size,
      beforeCommit: lease.add,
      signal,
    })
    return { ...added, bytes: null }
  }

  const plain = await decompress(source)
  const extract = tar.extract()
  let broken: unknown
  for (const stream of [source, plain]) stream.once('error', (error: unknown) => (broken ??= error))
  const reading = pipeline(source, plain, extract, { signal })
  reading.catch(() => {})
  try {
    for await (const entry of extract) {
      const { name, type, size = 0, linkname } = entry.header
      const path = pathOf(name)
      if (++count > maxEntries)
        throw new EngineError('limit-exceeded', `the archive has more than ${maxEntries} entries`)
      if (type === 'directory') {
        entry.resume()
        continue
      }
      if (entries.has(path)) throw new EngineError('corrupt', `the archive has ${shown(name)} twice`)
      if (type === 'file' || type === 'contiguous-file')
        entries.set(path, {
          kind: 'file',
          file: await take(name, size, entry as unknown as AsyncIterable<Buffer>),
        })
      else if (type === 'symlink' || type === 'link') {
        const from = type === 'symlink' ? posix.dirname(path) : '.'
        entries.set(path, { kind: 'link', target: pathOf(posix.join(from, linkname ?? '')) })
        entry.resume()
      } else throw new EngineError('corrupt', `the archive has ${shown(name)}, which is a ${type}`)
    }
    await reading
  } catch (error) {
    source.destroy()
    extract.destroy()
    signal?.throwIfAborted()
    throw whatFailed(broken ?? error)
  }

  function find(path: string): ArchiveFile | null {
    let at = path
    for (let links = 0; links <= maxLinks; links++) {
      const entry = entries.get(at)
      if (entry === undefined) return null
      if (entry.kind === 'file') return entry.file
      at = entry.target
    }
    throw new EngineError('corrupt', `the archive's link ${shown(path)} leads nowhere`)
  }

  return {
    find,
    async read(path) {
      const file = find(pathOf(path))
      if (!file) throw new EngineError('corrupt', `the archive lacks ${shown(path)}`)
      if (file.bytes) return file.bytes
      if (file.sizeBytes > maxDocumentBytes)
        throw new EngineError(
          'limit-exceeded',
          `${shown(path)} of the archive has more than ${maxDocumentBytes} bytes`,
        )
      return content.read(file.digest)
    },
  }
}

/** A path within the archive, without `./`. Throws corrupt for one that leads out of it. */
export function pathOf(name: string): string {
  const path = posix.normalize(name).replace(/\/$/, '')
  if (path === '..' || path.startsWith('../') || path.startsWith('/') || path.includes('\0'))
    throw new EngineError('corrupt', `the archive has the path ${shown(name)}, which leads out of it`)
  return path
}

/** A name out of an archive, fit for a message. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200))
}

function whatFailed(error: unknown): unknown {
  if (isEngineError(error) || !(error instanceof Error)) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code?.startsWith('Z'))
    return new EngineError('corrupt', `the archive cannot be decompressed (${error.message})`, {
      cause: error,
    })
  // The parser's errors are plain ones.
  if (!code && error.constructor === Error)
    return new EngineError('corrupt', `it is not a tar archive (${error.message})`, { cause: error })
  return error
}
