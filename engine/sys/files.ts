import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Makes the entries of a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a file so that readers see the old content or the new one, never a part, also after a power cut. */
export async function writeFileAtomically(
  path: string,
  content: string | Buffer,
  mode = 0o600,
): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/**
 * Removes a folder whatever its size: out of sight by one rename, so that a cut leaves only what `sweep` of the trash
 * finds, then for good.
 */
export async function removeFolder(path: string, trash: string): Promise<void> {
  const grave = join(trash, randomBytes(8).toString('hex'))
  try {
    await rename(path, grave)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  await rm(grave, { recursive: true, force: true })
}
