/** What is at a path below an open root, held by a descriptor, so that it can't be exchanged for something else. */
import { closeSync, constants, fstatSync, type Stats, statfsSync } from 'node:fs'
import { EngineError } from '../errors.ts'
import { openAt } from '../sys/in-root.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { FileKind, FilePath } from './file-tree.ts'

const { O_DIRECTORY, O_NOFOLLOW } = constants
/** Opens nothing, and holds what is there: a pipe does not notice, a device does nothing. Source: open(2). */
export const O_PATH = 0o10000000
const maxPathBytes = 4_095
const maxNameBytes = 255
/** procfs, sysfs, cgroup, cgroup2, and those of the kernel's own debugging. Source: statfs(2). */
const kernelsOwn = new Set([
  ...[0x9fa0, 0x62656572, 0x27e0eb, 0x63677270],
  ...[0x64626720, 0x74726163, 0x73636673, 0xcafe4a11],
])

/** Ids in the tree; what is not its own is nobody's. */
export const insideId = (id: number, { base, size }: IdRange) =>
  id >= base && id < base + size ? id - base : 65_534

/** A name in an open folder, for calls that don't follow the last part of a path. */
export function within(folder: number, name: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), Buffer.from(name)])
}

/** The open thing itself. */
export const itself = (fd: number) => `/proc/self/fd/${fd}`

/** Absolute, without `.`, `..` and doubled slashes. Throws invalid. */
export function cleanPath(path: FilePath): Buffer {
  const bytes = Buffer.from(path)
  if (bytes[0] !== slash || bytes.includes(0))
    throw new EngineError('invalid', `${shown(bytes)} is no absolute path`)
  // Latin-1 keeps every byte as it is.
  const parts: string[] = []
  for (const part of bytes.toString('latin1').split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const clean = Buffer.from(`/${parts.join('/')}`, 'latin1')
  if (clean.length > maxPathBytes || parts.some((part) => part.length > maxNameBytes))
    throw new EngineError('invalid', 'the path is longer than a path may be')
  return clean
}

export function splitPath(path: Buffer): { folder: Buffer; name: Buffer } {
  const at = path.lastIndexOf(slash)
  return { folder: path.subarray(0, Math.max(at, 1)), name: path.subarray(at + 1) }
}

export function joinPath(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, ...(folder.length === 1 ? [] : [Buffer.from('/')]), name])
}

/** In sentences, on one line. */
export const shown = (path: Buffer) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is for
  path.toString().replace(/[\u0000-\u001f\u007f]/g, '�')

/** Lends what is at a path; a last part that is a link is followed, within the tree. */
export async function withNode<T>(
  root: number,
  path: Buffer,
  work: (fd: number, stats: Stats) => Promise<T>,
): Promise<T> {
  const fd = told(path, () => openAt(root, path, O_PATH))
  try {
    return await work(fd, fstatSync(fd))
  } finally {
    closeSync(fd)
  }
}

/** Lends a folder. Throws invalid for anything else, and for one that is the kernel's. */
export async function withFolder<T>(
  root: number,
  path: Buffer,
  work: (folder: number) => Promise<T>,
): Promise<T> {
  const fd = told(path, () => openAt(root, path, O_PATH | O_DIRECTORY))
  try {
    refuseKernels(fd, path)
    return await work(fd)
  } finally {
    closeSync(fd)
  }
}

/** A folder in an open folder, that is no link and on which nothing else is mounted. */
export const openOwnFolder = (parent: number, name: Buffer): number =>
  openAt(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, { stay: true })

export function refuseKernels(fd: number, path: Buffer): void {
  if (kernelsOwn.has(statfsSync(itself(fd)).type))
    throw new EngineError('invalid', `${shown(path)} is the kernel's, and holds no files`)
}

export function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  if (stats.isSymbolicLink()) return 'link'
  if (stats.isFIFO()) return 'pipe'
  return stats.isSocket() ? 'socket' : 'device'
}

/** What the kernel says of a path, as a sentence. */
export function told<T>(path: Buffer, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw inWords(path, error)
  }
}

export function inWords(path: Buffer, error: unknown): unknown {
  if (error instanceof EngineError && error.kind !== 'internal') return error
  const { code } = error as NodeJS.ErrnoException
  const say = (kind: EngineError['kind'], words: string) =>
    new EngineError(kind, `${shown(path)} ${words}`, { cause: error })
  switch (code) {
    case 'ENOENT':
      return say('not-found', 'is not there')
    case 'EEXIST':
      return say('already-exists', 'is there already')
    case 'ENOTDIR':
      return say('invalid', 'is no folder, or leads through something that is none')
    case 'EISDIR':
      return say('invalid', 'is a folder')
    case 'ELOOP':
      return say('invalid', 'leads through too many links, or through one of the kernel’s')
    case 'ENAMETOOLONG':
      return say('invalid', 'is longer than a path may be')
    case 'ENOTEMPTY':
      return say('failed-precondition', 'is not empty')
    case 'EROFS':
      return say('failed-precondition', 'is on a file system that can only be read')
    case 'EBUSY':
    case 'EXDEV':
      return say('failed-precondition', 'has something mounted on it, such as a volume')
    case 'EPERM':
    case 'EACCES':
      return say('failed-precondition', 'is protected from changes')
    case 'ENOSPC':
    case 'EDQUOT':
      return say('limit-exceeded', 'has no space: what it would be on is full')
    // A tmpfs of the container's own user namespace has no id for us. Source: EOVERFLOW in open(2).
    case 'EOVERFLOW':
      return say('unsupported', 'would be in memory (tmpfs), where only programs of the container make files')
    case 'EOPNOTSUPP':
      return say('unsupported', 'is on a file system that can’t do this')
    default:
      return error
  }
}

const slash = 0x2f
