/** File systems in files, and whether the host's cache is between them and the disk. */
import { closeSync, constants, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Whether what is read from and written to this file system in a file goes past the host's cache of the file. */
export function passesCache(mountPoint: string): boolean {
  // 7 are the loop devices; the lower half of a device's number is which one.
  const { dev } = statSync(mountPoint)
  return readFileSync(`/sys/dev/block/7:${dev & 0xff}/loop/dio`, 'utf8').trim() === '1'
}

/** Whether files in this folder can be read and written so. */
export function mayPassCache(folder: string): boolean {
  const path = join(folder, 'direct')
  try {
    closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_DIRECT))
    return true
  } catch {
    return false
  } finally {
    rmSync(path, { force: true })
  }
}
