/** What a hostile archive might reach for, seen before and after. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

/**
 * Everything that can be told of these files, and of all below those that are folders, a line each: what is there,
 * owner, mode, links, times of change, and the content of small files.
 */
export function worldOf(...paths: string[]): string[] {
  return paths.flatMap((path) => {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (!stats) return [`${path} is not there`]
    const { mode, uid, gid, nlink, size, mtimeNs, ctimeNs } = stats
    const content = stats.isFile() && size < 100_000n ? readFileSync(path, 'base64') : ''
    const line = [path, mode, uid, gid, nlink, size, mtimeNs, ctimeNs, content].join(' ')
    if (!stats.isDirectory()) return [line]
    return [line, ...worldOf(...readdirSync(path).map((name) => join(path, name)))]
  })
}

/** What every archive that gets out can reach first: accounts, the places that the tests' paths lead to, other layers. */
export function reachableFrom(stateDir: string): string[] {
  return ['/etc/passwd', '/etc/shadow', '/etc/evil', '/tmp/x', '/x', join(stateDir, 'layers')]
}

/** Runs work that must change nothing of these files and folders, whether it ends well or not. */
export async function leavesAlone<T>(paths: string[], work: () => Promise<T>): Promise<T> {
  const before = worldOf(...paths)
  // A list of what isn't there would never change.
  expect(before.filter((line) => !line.endsWith('is not there')).length).toBeGreaterThan(0)
  try {
    return await work()
  } finally {
    expect(worldOf(...paths)).toEqual(before)
  }
}
