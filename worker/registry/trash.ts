import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { blobFolder, exists, namesIn, type RegistryFiles, sizeOf } from './layout.ts'

/**
 * A blob that nothing holds is moved aside first, in one step: from then on the registry takes it for missing, and who
 * pushes it sends it anew. It is gone for good only when nothing came to hold it for a while after.
 */
export async function moveAside(files: RegistryFiles, digest: string): Promise<void> {
  await mkdir(files.trash, { recursive: true, mode: 0o700 })
  await rename(blobFolder(files, digest), join(files.trash, digest.replace(':', '-')))
}

/** Something holds it after all. One that was pushed again meanwhile is the same. */
export async function putBack(files: RegistryFiles, digest: string): Promise<void> {
  const folder = blobFolder(files, digest)
  if (await exists(join(folder, 'data'))) {
    await removeForGood(files, digest)
    return
  }
  await mkdir(dirname(folder), { recursive: true })
  try {
    await rename(join(files.trash, digest.replace(':', '-')), folder)
  } catch (error) {
    // Pushed again in this very moment.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    await removeForGood(files, digest)
  }
}

/** Answers the bytes that are free again. */
export async function removeForGood({ trash }: RegistryFiles, digest: string): Promise<number> {
  const folder = join(trash, digest.replace(':', '-'))
  const sizeBytes = await sizeOf(join(folder, 'data'))
  await rm(folder, { recursive: true, force: true })
  return sizeBytes
}

/** Digests of what was moved aside, also by a collection that was killed. */
export async function listAside({ trash }: RegistryFiles): Promise<string[]> {
  return (await namesIn(trash)).map((name) => name.replace('-', ':'))
}
