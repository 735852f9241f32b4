/**
 * Where things go that nobody needs any more: out of sight by one rename, which takes no time whatever their size, and
 * then deleted for good behind everybody's back. What a cut leaves there is deleted by the next process.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface Trash {
  /**
   * Takes a file or folder out of sight. It is gone from its place when this returns, so that a check and what follows
   * from it are one step for everybody else. False if it was not there.
   */
  bury(path: string): boolean
  /** Resolves when everything that was buried so far is deleted. */
  emptied(): Promise<void>
  /** Waits for the deletion under way only; the rest is for the next process. */
  close(): Promise<void>
}

/** @param folder made if need be; on the file system of what is to be buried. */
export function openTrash(folder: string, onError: (error: unknown) => void = () => {}): Trash {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let isClosed = false
  let work: Promise<void> = deleteLeft()

  async function deleteLeft(): Promise<void> {
    for (const name of await readdir(folder)) await deleteOne(join(folder, name))
  }

  async function deleteOne(path: string): Promise<void> {
    if (isClosed) return
    // Whatever can't be deleted now is tried again by the next process.
    await rm(path, { recursive: true, force: true, maxRetries: 2 }).catch(onError)
  }

  return {
    bury(path) {
      const grave = join(folder, randomBytes(8).toString('hex'))
      try {
        renameSync(path, grave)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
        throw error
      }
      work = work.then(() => deleteOne(grave))
      return true
    },
    emptied: () => work,
    async close() {
      isClosed = true
      await work
    },
  }
}
