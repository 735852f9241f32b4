/** File systems in files, and the loop devices under them. Sources: loop(4), LOOP_SET_DIRECT_IO in linux/loop.h. */
import { closeSync, constants, openSync, readlinkSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import koffi from 'koffi'

const libc = koffi.load('libc.so.6')
const ioctl = libc.func('int ioctl(int, unsigned long, unsigned long)')
const setDirectIo = 0x4c08

/**
 * What is read from and written to a mounted file system in a file goes past the host's cache of that file: everything is
 * in memory once, in the file system's own cache, and is written back once. Where what is below can't, it stays as it was.
 */
export async function passHostCache(mountPoint: string): Promise<void> {
  let fd: number
  try {
    // As long as it is open it is this file's device, whatever becomes of the mount.
    fd = openSync(join('/dev', deviceOf(mountPoint)), constants.O_RDONLY)
  } catch {
    return
  }
  await new Promise<void>((resolve) => ioctl.async(fd, setDirectIo, 1, () => resolve()))
  closeSync(fd)
}

/** Its name, such as loop0. Throws where the mounted file system has none. */
function deviceOf(mountPoint: string): string {
  const { dev } = statSync(mountPoint)
  const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`
  return basename(readlinkSync(join('/sys/dev/block', number)))
}
