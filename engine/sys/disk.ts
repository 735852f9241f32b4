import { statfsSync } from 'node:fs'

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

/** Whether an error means that the disk, or somebody's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT'
}
