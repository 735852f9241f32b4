/** Where a home is to be: is there room, and can everybody get there who must? Asked before anything is made. */
import { existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommandError } from '../say.ts'

const leastFreeBytes = 500 * 2 ** 20

/** The folder itself, or the nearest one above it that is there. */
export function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path))
}

/** The first folder above `path` through which only its owner may pass. */
export function closedFolder(path: string): string | null {
  if (path === '/') return null
  const parent = dirname(path)
  return closedFolder(parent) ?? (existsSync(parent) && (statSync(parent).mode & 0o001) === 0 ? parent : null)
}

/** Throws a sentence that says what to do. */
export function mustHaveRoom(home: string): void {
  const { bavail, bsize } = statfsSync(nearestFolder(home))
  if (bavail * bsize >= leastFreeBytes) return
  throw new CommandError(
    `The disk that holds ${home} has ${Math.round((bavail * bsize) / 2 ** 20)} MiB free, and Berth needs 500 MiB at least: make room, or choose another folder with --home.`,
  )
}

/** PostgreSQL refuses to run as root, so its own user must be able to walk to its data. */
export function mustBeReachable(home: string): void {
  const closed = closedFolder(home)
  if (closed === null) return
  throw new CommandError(
    `PostgreSQL runs as a user of its own, who can't get to ${home}: only its owner may pass through ${closed}. Let others pass (\`chmod o+x ${closed}\`), or choose another folder with --home.`,
  )
}
