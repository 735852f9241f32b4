/** Files out of a container, as a tar: see copy-paths.ts. */
import { closeSync, constants, fstatSync, lstatSync, readlinkSync, readSync } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Header, Pack } from 'tar-stream'
import { EngineError } from '../errors.ts'
import { openAt } from '../sys/in-root.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import { type EntryHeader, folderFlags, openFolder, told, within } from './copy-paths.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
const chunkBytes = 256 * 1024
/** Each level has a folder open. */
const maxDepth = 256

/** The most that is packed: bytes of files, and files, links and folders. */
export interface PackLimits {
  maxBytes: number
  maxEntries: number
}

interface Packing {
  idRange: IdRange
  pack: Pack
  /** What may still come. */
  left: PackLimits
}

/**
 * A file, link or folder with all in it, named by the last part of its path. `root` is closed by the caller. Throws
 * limit-exceeded.
 */
export async function packPath(
  root: number,
  path: string,
  idRange: IdRange,
  pack: Pack,
  limits: PackLimits = { maxBytes: Number.POSITIVE_INFINITY, maxEntries: Number.POSITIVE_INFINITY },
): Promise<void> {
  const packing = { idRange, pack, left: { ...limits } }
  const name = posix.basename(path)
  const parent = openFolder(root, name === '' ? '/' : posix.dirname(path))
  try {
    told(path, () => lstatSync(within(parent, name)))
    await packOne(parent, name === '' ? '.' : name, name === '' ? '.' : name, packing, 0)
  } finally {
    closeSync(parent)
  }
}

async function packOne(
  parent: number,
  name: string,
  shownAs: string,
  packing: Packing,
  depth: number,
): Promise<void> {
  const { idRange, pack, left } = packing
  if (depth > maxDepth)
    throw new EngineError('limit-exceeded', `${shownAs} is more than ${maxDepth} folders deep`)
  const stats = told(shownAs, () => lstatSync(within(parent, name)))
  left.maxEntries--
  left.maxBytes -= stats.isFile() ? stats.size : 0
  if (left.maxEntries < 0 || left.maxBytes < 0)
    throw new EngineError('limit-exceeded', `there is more in it than is copied at once, from ${shownAs} on`)
  const inside = (id: number) =>
    id >= idRange.base && id < idRange.base + idRange.size ? id - idRange.base : 65_534
  const header = {
    name: shownAs,
    mode: stats.mode & 0o7777,
    mtime: stats.mtime,
    uid: inside(stats.uid),
    gid: inside(stats.gid),
  }
  if (stats.isSymbolicLink())
    await put(pack, { ...header, type: 'symlink', linkname: readlinkSync(within(parent, name)) })
  else if (stats.isDirectory()) {
    const fd = name === '.' ? openAt(parent, '/', folderFlags) : openFolder(parent, name)
    try {
      await put(pack, { ...header, type: 'directory' })
      for (const child of await namesIn(fd, shownAs, left.maxEntries))
        await packOne(fd, child, `${shownAs}/${child}`, packing, depth + 1).catch((error) => {
          // Removed while we were on our way, or a mount of the kernel's.
          if (!(error instanceof EngineError) || !['not-found', 'invalid'].includes(error.kind)) throw error
        })
    } finally {
      closeSync(fd)
    }
  } else if (stats.isFile()) {
    const fd = told(shownAs, () => openAt(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    try {
      const now = fstatSync(fd)
      if (now.isFile()) await putFile(pack, { ...header, size: now.size }, fd, now.size)
    } finally {
      closeSync(fd)
    }
  }
}

/** One more than the most, where there are more. */
async function namesIn(folder: number, shownAs: string, most: number): Promise<string[]> {
  const names: string[] = []
  // Node's types don't know that names can be bytes.
  const found = await opendir(within(folder, '.'), { encoding: 'buffer' as BufferEncoding })
  for await (const entry of found) {
    const bytes = entry.name as unknown as Buffer
    const name = bytes.toString('utf8')
    if (!Buffer.from(name).equals(bytes))
      throw new EngineError('unsupported', `${shownAs} has a file whose name is not UTF-8: it is not copied`)
    names.push(name)
    if (names.length > most) break
  }
  return names
}

function put(pack: Pack, header: EntryHeader): Promise<void> {
  return new Promise((resolve, reject) =>
    pack.entry(header as Header, '', (error) => (error ? reject(error) : resolve())),
  )
}

/** As many bytes as the header says: one that shrinks meanwhile ends in zeros. */
async function putFile(pack: Pack, header: EntryHeader, fd: number, size: number): Promise<void> {
  if (size === 0) return put(pack, header)
  await new Promise<void>((resolve, reject) => {
    // Nobody reads any more.
    const gone = () => reject(new EngineError('canceled', 'the copy was given up'))
    pack.once('close', gone)
    const entry = pack.entry(header as Header, (error) => {
      pack.off('close', gone)
      if (error) reject(error)
      else resolve()
    })
    let rest = size
    const next = () => {
      while (rest > 0) {
        const chunk = Buffer.alloc(Math.min(rest, chunkBytes))
        readSync(fd, chunk, 0, chunk.length, null)
        rest -= chunk.length
        if (rest > 0 && !entry.write(chunk)) return void entry.once('drain', next)
        if (rest === 0) entry.end(chunk)
      }
    }
    next()
  })
}
