/**
 * The system calls that Node has no function for, through libc by koffi. They block for as long as the kernel needs,
 * which is microseconds to a few milliseconds, except where a promise says otherwise. Sources: mount(2), umount2(2), open_tree(2), mount_setattr(2), flock(2),
 * linkat(2), unshare(2), setns(2), pivot_root(2).
 */
import { closeSync } from 'node:fs'
import koffi from 'koffi'
import { EngineError } from '../errors.ts'

const libc = koffi.load('libc.so.6')
const calls = {
  mount: libc.func('int mount(const char*, const char*, const char*, unsigned long, const char*)'),
  umount2: libc.func('int umount2(const char*, int)'),
  unshare: libc.func('int unshare(int)'),
  setns: libc.func('int setns(int, int)'),
  pivotRoot: libc.func('int pivot_root(const char*, const char*)'),
  flock: libc.func('int flock(int, int)'),
  syncfs: libc.func('int syncfs(int)'),
  syncFileRange: libc.func('int sync_file_range(int, int64_t, int64_t, unsigned int)'),
  mknod: libc.func('int mknod(const void*, unsigned int, unsigned long)'),
  lsetxattr: libc.func('int lsetxattr(const void*, const char*, const void*, size_t, int)'),
  lgetxattr: libc.func('long lgetxattr(const void*, const char*, void*, size_t)'),
  linkat: libc.func('int linkat(int, const char*, int, const void*, int)'),
  utimensat: libc.func('int utimensat(int, const void*, const void*, int)'),
  llistxattr: libc.func('long llistxattr(const void*, void*, size_t)'),
  syscall: libc.func('long syscall(long, long, const char*, long, const void*, long)'),
  syscallPaths: libc.func('long syscall(long, long, const char*, long, const char*, long)'),
}

const sys = { openTree: 428, moveMount: 429, mountSetattr: 442 }

export const mountFlags = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  bind: 4096,
  rec: 16384,
  private: 1 << 18,
}

const atFdcwd = -100
const atEmptyPath = 0x1000
const newMounts = 0x20000
const noAutomount = 0x800
const openTreeClone = 1
const openTreeCloexec = 0o2000000
const mountAttrReadOnly = 0x1n
const mountAttrIdmap = 0x100000n

/** An error of a system call: `code` such as EBUSY, as Node's own errors have it. */
export class SystemCallError extends EngineError {
  readonly errno: number
  readonly code: string

  constructor(call: string, detail: string, errno: number) {
    const name = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`
    super('internal', `${call} failed with ${name}: ${detail}`)
    this.errno = errno
    this.code = name
  }
}

/** Answers with what a call answered. Throws SystemCallError when that is below zero. */
export function check(result: number | bigint, call: string, detail: string): number {
  if (Number(result) < 0) throw new SystemCallError(call, detail, koffi.errno())
  return Number(result)
}

/** mount(2). `options` is the file system's own option string, at most one page (4,095 bytes). */
export function mount(source: string, target: string, type: string, flags: number, options: string): void {
  check(calls.mount(source, target, type, flags, options), 'mount', `${type} on ${target} (${options})`)
}

/** Unmounts; not being a mount point is no error. `detach` hides a busy mount now and lets it go when unused. */
export function unmount(target: string, options: { detach?: boolean } = {}): void {
  if (Number(calls.umount2(target, options.detach ? 2 : 0)) >= 0) return
  const { EINVAL, ENOENT } = koffi.os.errno
  const errno = koffi.errno()
  if (errno !== EINVAL && errno !== ENOENT) throw new SystemCallError('umount2', target, errno)
}

/**
 * Hides a mount now and lets it go when unused, on a thread of its own: the kernel waits for its other processors and
 * for whoever copies its list of mounts, and where this was the last use, for a disk. Not being a mount point is no error.
 */
export function detach(target: string): Promise<void> {
  return new Promise((resolve, reject) =>
    calls.umount2.async(target, 2, (error: unknown, result: number) => {
      try {
        if (error) throw error
        // The other thread's reason is not known here.
        if (result < 0) unmount(target, { detach: true })
        resolve()
      } catch (reason) {
        reject(reason)
      }
    }),
  )
}

/**
 * Mounts a read-only copy of `source` (a folder) at `target` in which ids are shifted by the user namespace that
 * `usernsFd` stands for: what root owns in `source` belongs to the namespace's root in `target`.
 */
export function mountIdmapped(source: string, target: string, usernsFd: number): void {
  const tree = cloneMount(source)
  try {
    const attributes = Buffer.alloc(32)
    attributes.writeBigUInt64LE(mountAttrIdmap | mountAttrReadOnly, 0)
    attributes.writeBigUInt64LE(BigInt(usernsFd), 24)
    check(
      calls.syscall(sys.mountSetattr, tree, '', atEmptyPath, attributes, attributes.length),
      'mount_setattr',
      `shifting the ids of ${source}`,
    )
    attachMount(tree, target)
  } finally {
    closeSync(tree)
  }
}

/** A mount of `source` and of none that are below it, in no namespace yet: an open file, and gone with it. */
export function cloneMount(source: string): number {
  const flags = openTreeClone | openTreeCloexec | noAutomount
  const tree = calls.syscallPaths(sys.openTree, atFdcwd, source, flags, null, 0)
  return check(tree, 'open_tree', `cloning ${source}`)
}

/** Puts what cloneMount() answered with at `target`. */
export function attachMount(tree: number, target: string): void {
  // MOVE_MOUNT_F_EMPTY_PATH
  check(calls.syscallPaths(sys.moveMount, tree, '', atFdcwd, target, 4), 'move_mount', `to ${target}`)
}

/** The calling thread, and whatever it starts, has mounts of its own from now on: a copy of what there are. */
export function copyMounts(): void {
  check(calls.unshare(newMounts), 'unshare', 'of mounts')
}

/** The calling thread goes where the mounts are that an open `/proc/…/ns/mnt` stands for, to the root folder there. */
export function enterMounts(namespace: number): void {
  check(calls.setns(namespace, newMounts), 'setns', 'to other mounts')
}

/** Makes a mount point the root, and takes what was the root away with all that is mounted there. */
export function replaceRoot(path: string): void {
  process.chdir(path)
  // The old one comes to be on top of the new one, without a folder for it.
  check(calls.pivotRoot('.', '.'), 'pivot_root', path)
  unmount('.', { detach: true })
  process.chdir('/')
}

/** Takes an exclusive lock on an open file without waiting; false when another process holds it. */
export function tryLock(fd: number): boolean {
  return Number(calls.flock(fd, 2 | 4)) === 0
}

/** Writes everything of the file system that `fd` is on to disk: seconds, on a busy one, so on a thread of its own. */
export function syncFileSystem(fd: number): Promise<void> {
  return new Promise((resolve, reject) =>
    calls.syncfs.async(fd, (error: unknown, result: number) => {
      if (error) reject(error)
      else if (result < 0) reject(new EngineError('internal', 'syncfs failed: the disk reports an error'))
      else resolve()
    }),
  )
}

/**
 * Has the disk begin with what was written to a file, and waits for none of it: a sync that comes later finds less to
 * do. Without meaning where the file system can't. Source: sync_file_range(2), SYNC_FILE_RANGE_WRITE.
 */
export function startWriteback(fd: number): void {
  calls.syncFileRange(fd, 0, 0, 2)
}

/**
 * Makes an overlayfs whiteout: a character device 0/0.
 * @param path bytes that end with a zero, here and below: a name need not be text
 */
export function makeWhiteout(path: Buffer): void {
  check(calls.mknod(path, 0o020000, 0), 'mknod', shown(path))
}

/**
 * Gives a file that was opened without a name (O_TMPFILE) one in an open folder. Throws SystemCallError, whose code is
 * EEXIST where there is one of that name. Source: open(2), O_TMPFILE.
 * @param name bytes that end with a zero
 */
export function linkOpenFile(file: number, folder: number, name: Buffer): void {
  // AT_SYMLINK_FOLLOW
  const result = calls.linkat(atFdcwd, `/proc/self/fd/${file}`, folder, name, 0x400)
  check(result, 'linkat', shown(name))
}

/** Makes a FIFO. */
export function makeFifo(path: Buffer): void {
  check(calls.mknod(path, 0o010600, 0), 'mknod', shown(path))
}

/** Sets an extended attribute without following a link at `path`. */
export function setAttribute(path: Buffer, name: string, value: Buffer): void {
  check(calls.lsetxattr(path, name, value, value.length, 0), 'lsetxattr', `${name} of ${shown(path)}`)
}

/** Sets when a file was last changed (and read), to the nanosecond, without following a link at `path`. */
export function setTime(path: Buffer, seconds: number, nanoseconds: number): void {
  const times = Buffer.alloc(32)
  for (const at of [0, 16]) {
    times.writeBigInt64LE(BigInt(seconds), at)
    times.writeBigInt64LE(BigInt(nanoseconds), at + 8)
  }
  // AT_SYMLINK_NOFOLLOW
  check(calls.utimensat(atFdcwd, path, times, 0x100), 'utimensat', shown(path))
}

const maxAttributeBytes = 65_536

/** Extended attributes by name, without following a link; none where the file system keeps none. */
export function readAttributes(path: Buffer): Map<string, Buffer> {
  const list = Buffer.alloc(maxAttributeBytes)
  const length = Number(calls.llistxattr(path, list, list.length))
  if (length < 0 && koffi.errno() === koffi.os.errno.EOPNOTSUPP) return new Map()
  check(length, 'llistxattr', shown(path))
  const names = list.toString('utf8', 0, length).split('\0').slice(0, -1)
  return new Map(names.map((name) => [name, readAttribute(path, name) ?? Buffer.alloc(0)]))
}

/** An extended attribute, without following a link; null if there is none of this name. */
export function readAttribute(path: Buffer, name: string): Buffer | null {
  const value = Buffer.alloc(maxAttributeBytes)
  const length = Number(calls.lgetxattr(path, name, value, value.length))
  if (length < 0 && [koffi.os.errno.ENODATA, koffi.os.errno.EOPNOTSUPP].includes(koffi.errno())) return null
  check(length, 'lgetxattr', `${name} of ${shown(path)}`)
  return value.subarray(0, length)
}

const shown = (path: Buffer) => path.toString('utf8', 0, path.length - 1)
