/**
 * Holds a mounted file system still: what is in it is whole, as after a clean end, and who writes waits. Sources:
 * ioctl_fsfreeze(2), FIFREEZE and FITHAW in linux/fs.h.
 */
import { closeSync, constants, openSync } from 'node:fs'
import koffi from 'koffi'
import { EngineError } from '../errors.ts'
import { SystemCallError } from './syscalls.ts'

const libc = koffi.load('libc.so.6')
const ioctl = libc.func('int ioctl(int, unsigned long, void*)')
const freezeIt = 0xc0045877
const thawIt = 0xc0045878

/** Resolves once all that was written is on disk, which may take seconds. Until thaw(), whoever writes there waits. */
export async function freeze(mountPoint: string): Promise<void> {
  await withOpen(
    mountPoint,
    (fd) =>
      new Promise<void>((resolve, reject) =>
        ioctl.async(fd, freezeIt, null, (error: unknown, result: number) => {
          if (error) reject(error)
          else if (result < 0)
            reject(new EngineError('unsupported', `the file system at ${mountPoint} can't be frozen`))
          else resolve()
        }),
      ),
  )
}

/** One that is not frozen stays as it is. */
export function thaw(mountPoint: string): void {
  const fd = openSync(mountPoint, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    if (Number(ioctl(fd, thawIt, null)) >= 0) return
    const errno = koffi.errno()
    if (errno !== koffi.os.errno.EINVAL) throw new SystemCallError('FITHAW', mountPoint, errno)
  } finally {
    closeSync(fd)
  }
}

async function withOpen(path: string, work: (fd: number) => Promise<void>): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await work(fd)
  } finally {
    closeSync(fd)
  }
}
