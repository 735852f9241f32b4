import { statfsSync } from 'node:fs'
import { EngineError } from '../errors.ts'

const reserveBytes = 2 ** 30
const reserveShare = 0.05

/**
 * Bytes that may still be written to the file system of `path`. The last gibibyte (5 % of a small disk) is not ours to
 * fill: databases and logs of the host need it.
 */
export function spaceLeft(path: string): number {
  const { bavail, bsize, blocks } = statfsSync(path)
  return bavail * bsize - Math.min(reserveBytes, blocks * bsize * reserveShare)
}

/** How full the file system of `path` is; root's reserve counts as taken, as nobody else may use it. */
export function measureDisk(path: string): { totalBytes: number; freeBytes: number; usedPercent: number } {
  const { bavail, bsize, blocks } = statfsSync(path)
  const [totalBytes, freeBytes] = [blocks * bsize, bavail * bsize]
  return { totalBytes, freeBytes, usedPercent: 100 * (1 - freeBytes / totalBytes) }
}
/** SQLite's own word for it (https://sqlite.org/rescode.html#full). */
const sqliteFull = 13

/** Whether an error means that the disk, or somebody's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errcode } = error as NodeJS.ErrnoException & { errcode?: number }
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode === sqliteFull
}

/** @param what completes the sentence "the disk has no room for …". */
export function diskFull(what: string, cause?: unknown): EngineError {
  return new EngineError('disk-full', `the disk has no room for ${what}: free some`, { cause })
}

/** For `catch`: throws disk-full where that is what the error means, and the error itself otherwise. */
export function orDiskFull(what: string): (error: unknown) => never {
  return (error) => {
    throw isDiskFull(error) ? diskFull(what, error) : error
  }
}
