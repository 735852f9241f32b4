/**
 * Opens paths below a root as a process inside would see them: links, `..` and absolute paths stay in there, also
 * while somebody changes them. Source: openat2(2).
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import koffi from 'koffi'
import { SystemCallError } from './syscalls.ts'

const syscall = koffi.load('libc.so.6').func('long syscall(long, long, const void*, const void*, size_t)')
const openat2 = 437
const resolveNoCrossing = 0x01
const resolveNoMagicLinks = 0x02
const resolveInRoot = 0x10
const { O_CLOEXEC = 0o2000000 } = constants as { O_CLOEXEC?: number }

/**
 * @param root a folder's descriptor.
 * @param path as bytes where it need not be text. `stay`: nothing that is mounted below is entered (EXDEV).
 * Throws SystemCallError, whose code is ENOENT, ELOOP, ENOTDIR …
 */
export function openAt(
  root: number,
  path: string | Buffer,
  flags: number,
  mode = 0,
  { stay = false }: { stay?: boolean } = {},
): number {
  const how = Buffer.alloc(24)
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0)
  how.writeBigUInt64LE(BigInt(mode), 8)
  const resolve = resolveInRoot | resolveNoMagicLinks | (stay ? resolveNoCrossing : 0)
  how.writeBigUInt64LE(BigInt(resolve), 16)
  const name = Buffer.concat([Buffer.from(path), Buffer.alloc(1)])
  const fd = Number(syscall(openat2, root, name, how, how.length))
  if (fd < 0) throw new SystemCallError('openat2', path.toString(), koffi.errno())
  return fd
}

/** Lends the descriptor of a path below the folder `root`. */
export function withOpenIn<T>(root: string, path: string, flags: number, work: (fd: number) => T): T {
  const folder = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const fd = openAt(folder, path, flags)
    try {
      return work(fd)
    } finally {
      closeSync(fd)
    }
  } finally {
    closeSync(folder)
  }
}

/** A regular file up to a size; null if it is missing, anything else than a file, or larger. */
export function readFileIn(root: string, path: string, maxBytes: number): string | null {
  try {
    return withOpenIn(root, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW, (fd) => {
      const found = fstatSync(fd)
      if (!found.isFile() || found.size > maxBytes) return null
      const bytes = Buffer.alloc(found.size)
      return bytes.subarray(0, readSync(fd, bytes, 0, found.size, 0)).toString('utf8')
    })
  } catch (error) {
    if (error instanceof SystemCallError) return null
    throw error
  }
}
