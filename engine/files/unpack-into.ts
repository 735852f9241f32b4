/** Files into a container, from a tar: see copy-paths.ts. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import tar from 'tar-stream'
import { EngineError } from '../errors.ts'
import { openAt } from '../sys/in-root.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import { type EntryHeader, folderFlags, openFolder, told, withFd, within } from './copy-paths.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

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
