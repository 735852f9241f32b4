/** What a hostile archive might reach for, seen before and after. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

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
