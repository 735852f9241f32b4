/**
 * Files out of a container and into it, as a tar. What is in there may change at any time and lie: every name is looked
 * up below the container's root by openat2, or as the last part of a path below an open folder, never followed.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { opendir } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import tar, { type Header, type Pack } from 'tar-stream'
import { EngineError } from '../errors.ts'
import type { IdRange } from '../snapshots/snapshots.ts'
import { openAt } from '../sys/in-root.ts'
import { SystemCallError } from '../sys/syscalls.ts'

const { O_RDONLY, O_WRONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_CREAT, O_EXCL } = constants
const folderFlags = O_RDONLY | O_DIRECTORY
const chunkBytes = 256 * 1024
/** Each level has a folder open. */
const maxDepth = 256
/** procfs, sysfs, cgroup, cgroup2: they answer to whoever reads, and that is the host's root here. Source: statfs(2). */
const kernelsOwn = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270])

/** tar-stream fills in what is left out. */
type EntryHeader = Partial<Header> & { name: string }

/** A name in an open folder, for calls that don't follow the last part of a path. */
const within = (folder: number, name: string) => `/proc/self/fd/${folder}/${name}`

function withFd<T>(fd: number, work: (fd: number) => T): T {
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}

function openFolder(root: number, path: string): number {
  const fd = told(path, () => openAt(root, path, folderFlags))
  if (!kernelsOwn.has(statfsSync(within(fd, '.')).type)) return fd
  closeSync(fd)
  throw new EngineError('invalid', `${path} is the kernel's: nothing is copied from or to it`)
}

function told<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ENOENT')
      throw new EngineError('not-found', `the container has no ${path}`, { cause: error })
    if (['ELOOP', 'ENOTDIR', 'EEXIST', 'EISDIR', 'EXDEV'].includes(code))
      throw new EngineError('invalid', `${path} cannot be used: ${code}`, { cause: error })
    if (error instanceof SystemCallError || code !== '')
      throw new EngineError(
        code === 'ENOSPC' || code === 'EDQUOT' ? 'limit-exceeded' : 'internal',
        `${path}: ${(error as Error).message}`,
        { cause: error },
      )
    throw error
  }
}

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

/** Puts an archive's entries below a folder that is there. What is in the way is replaced, folders are merged. */
export async function unpackInto(
  root: number,
  folder: string,
  archive: Readable,
  options: { idRange: IdRange; hasSpace: (bytes: number) => boolean },
): Promise<void> {
  const target = openFolder(root, folder)
  const hasRoom = (bytes: number) => options.hasSpace(bytes) && isWithinLimit(target, bytes)
  const extract = tar.extract()
  archive.on('error', (error) => extract.destroy(error))
  archive.pipe(extract)
  try {
    for await (const entry of extract) {
      const { header } = entry
      const name = cleanName(header.name)
      if (name !== '' && !hasRoom(header.size ?? 0))
        throw new EngineError('limit-exceeded', `there is no space left for ${name}`)
      if (name !== '') await unpackOne(root, folder, name, header, entry, options.idRange)
      entry.resume()
    }
  } catch (error) {
    archive.destroy()
    if (error instanceof EngineError) throw error
    throw new EngineError('corrupt', `the archive cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  } finally {
    closeSync(target)
  }
}

/** Asked, as the kernel holds the host's root to no quota. A file system without a number of files says 0 of 0. */
function isWithinLimit(folder: number, bytes: number): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(`/proc/self/fd/${folder}`)
  return bavail * bsize >= bytes && (files === 0 || ffree > 0)
}

function cleanName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..') || name.includes('\0'))
    throw new EngineError('invalid', `the archive has an entry that leads up: ${name}`)
  return parts.join('/')
}

async function unpackOne(
  root: number,
  folder: string,
  name: string,
  header: EntryHeader,
  content: AsyncIterable<unknown>,
  { base, size }: IdRange,
): Promise<void> {
  const { uid = 0, gid = 0, mode = 0o644, type = 'file', linkname } = header
  if (uid >= size || gid >= size)
    throw new EngineError('invalid', `${name} belongs to an id that the container lacks`)
  const owner = [base + uid, base + gid] as const
  const last = posix.basename(name)
  const parent = makeFolders(root, folder, posix.dirname(name), base)
  try {
    const path = within(parent, last)
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (type === 'directory') {
      if (found && !found.isDirectory()) rmSync(path)
      if (!found?.isDirectory()) told(name, () => mkdirSync(path))
      withFd(openAt(parent, last, folderFlags | O_NOFOLLOW), (fd) => setOwner(fd, owner, mode))
      return
    }
    if (found?.isDirectory())
      throw new EngineError('invalid', `${name} is a folder, and would be replaced by a file`)
    if (found) rmSync(path)
    if (type === 'symlink') {
      told(name, () => symlinkSync(linkname ?? '', path))
      lchownSync(path, ...owner)
    } else if (type === 'link') linkTo(root, folder, cleanName(linkname ?? ''), path, name)
    else if (type === 'file' || type === 'contiguous-file') {
      const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
      const fd = told(name, () => openAt(parent, last, flags, 0o600))
      try {
        for await (const chunk of content as AsyncIterable<Buffer>) told(name, () => writeAll(fd, chunk))
        setOwner(fd, owner, mode)
      } finally {
        closeSync(fd)
      }
    } else throw new EngineError('invalid', `${name} is a ${type}, which is not copied into containers`)
  } finally {
    closeSync(parent)
  }
}

function linkTo(root: number, folder: string, target: string, path: string, name: string): void {
  const parent = openFolder(root, posix.join(folder, posix.dirname(target)))
  withFd(parent, () => told(name, () => linkSync(within(parent, posix.basename(target)), path)))
}

function setOwner(fd: number, owner: readonly [number, number], mode: number): void {
  // In this order: a change of owner takes set-user-id away.
  fchownSync(fd, ...owner)
  fchmodSync(fd, mode & 0o7777)
}

function writeAll(fd: number, chunk: Buffer): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done)
}

/** Opens a folder below another, and makes what is missing. */
function makeFolders(root: number, folder: string, below: string, owner: number): number {
  let path = folder
  let fd = openFolder(root, path)
  for (const part of below.split('/').filter((each) => each !== '' && each !== '.')) {
    const child = within(fd, part)
    try {
      if (!lstatSync(child, { throwIfNoEntry: false })) {
        mkdirSync(child, 0o755)
        lchownSync(child, owner, owner)
      }
    } finally {
      closeSync(fd)
    }
    path = posix.join(path, part)
    fd = openFolder(root, path)
  }
  return fd
}

/** The root folder of a process, with all that is mounted there. */
export const rootOfProcess = (pid: number): number => openSync(`/proc/${pid}/root`, folderFlags)
export const rootOfFolder = (path: string): number => openSync(path, folderFlags)
