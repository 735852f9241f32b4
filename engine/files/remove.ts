import { closeSync } from 'node:fs'
import { lstat, rmdir, unlink } from 'node:fs/promises'
import { EngineError } from '../errors.ts'
import type { RemoveOptions } from './file-tree.ts'
import { openNames } from './list.ts'
import { inWords, joinPath, openOwnFolder, shown, within } from './nodes.ts'
import { changing } from './turns.ts'

/** Each level has a folder open. */
const maxDepth = 256
const atOnce = 1_000

/** Removes what has this name in an open folder. */
export async function removeNode(
  { folder, name, path }: { folder: number; name: Buffer; path: Buffer },
  { recursive = false, withinMs }: RemoveOptions,
): Promise<{ removed: number; isDone: boolean }> {
  const until = Date.now() + withinMs
  let removed = 0

  async function removeOne(parent: number, each: Buffer, at: Buffer, depth: number): Promise<boolean> {
    const stats = await lstat(within(parent, each))
    if (!stats.isDirectory()) await changing(() => unlink(within(parent, each)))
    else {
      if (recursive && !(await empty(parent, each, at, depth))) return false
      await changing(() => rmdir(within(parent, each)))
    }
    removed++
    return true
  }

  async function empty(parent: number, each: Buffer, at: Buffer, depth: number): Promise<boolean> {
    if (depth > maxDepth)
      throw new EngineError('limit-exceeded', `${shown(at)} is more than ${maxDepth} folders deep`)
    const fd = openOwnFolder(parent, each)
    try {
      for (;;) {
        const names = await someNames(fd)
        if (names.length === 0) return true
        for (const child of names) {
          if (Date.now() > until) return false
          const below = joinPath(at, child)
          const isGone = await removeOne(fd, child, below, depth + 1).catch((error) => {
            // Removed, or exchanged, by whoever lives there: it is looked at again.
            if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENOTEMPTY'].includes(error.code)) return true
            throw inWords(below, error)
          })
          if (!isGone) return false
        }
      }
    } finally {
      closeSync(fd)
    }
  }

  try {
    const isDone = await removeOne(folder, name, path, 0)
    return { removed, isDone }
  } catch (error) {
    throw inWords(path, error)
  }
}

async function someNames(folder: number): Promise<Buffer[]> {
  const names: Buffer[] = []
  for await (const { name } of await openNames(folder)) {
    names.push(name as unknown as Buffer)
    if (names.length === atOnce) break
  }
  return names
}
