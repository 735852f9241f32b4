/**
 * File systems in files, as `limited-folder.ts` makes them, copied and given other sizes. A copy is made beside its
 * place and comes there by one rename, so what a cut left is never taken for one.
 */
import { existsSync } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EngineError } from '../errors.ts'
import { freeze, thaw } from '../sys/freeze.ts'
import type { Spawner } from '../sys/spawner.ts'

const copyWithinMs = 1_800_000
const resizeWithinMs = 1_800_000

interface Copying {
  spawner: Spawner
  signal?: AbortSignal
}

/** While `mounted` is given, the file system that is mounted there from this image is frozen for as long as it takes. */
export async function copyImage(
  from: string,
  to: string,
  { sizeBytes, mounted, spawner, signal }: Copying & { sizeBytes: number; mounted?: string },
): Promise<void> {
  const unfinished = `${to}.tmp`
  await rm(unfinished, { force: true })
  try {
    await copyStill(from, unfinished, { mounted, spawner, signal })
    await resizeImage(unfinished, { sizeBytes, spawner, signal })
    await syncPath(unfinished)
    await rename(unfinished, to)
    await syncPath(dirname(to))
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** All that was written to a mounted file system is in its image, in its place, as if it were unmounted. */
export async function settle(mounted: string): Promise<void> {
  try {
    await freeze(mounted)
  } finally {
    thaw(mounted)
  }
}

async function copyStill(
  from: string,
  to: string,
  { mounted, spawner, signal }: Copying & { mounted?: string },
): Promise<void> {
  if (mounted !== undefined) await freeze(mounted)
  try {
    const argv = ['cp', '--reflink=auto', '--sparse=always', '--', from, to]
    await spawner.mustRun(argv, { timeoutMs: copyWithinMs, signal })
  } finally {
    if (mounted !== undefined) thaw(mounted)
  }
}

/** Of one that is not mounted. Throws failed-precondition when what is in it has no room in the new size. */
async function resizeImage(
  image: string,
  { sizeBytes, spawner, signal }: Copying & { sizeBytes: number },
): Promise<void> {
  const { size } = await stat(image)
  if (size === sizeBytes) return
  const options = { timeoutMs: resizeWithinMs, signal }
  if (size < sizeBytes) await truncate(image, sizeBytes)
  // It mends what it can, and answers 1 when it did.
  const { code, stderr } = await spawner.run(['e2fsck', '-f', '-y', image], options)
  if (code === null || code > 2) throw new EngineError('corrupt', `${image} can't be checked: ${stderr}`)
  const resized = await spawner.run(['resize2fs', image, `${Math.floor(sizeBytes / sectorBytes)}s`], options)
  signal?.throwIfAborted()
  if (resized.code !== 0) {
    const isTooSmall = /smaller than minimum|not enough (free )?(space|blocks)/i.test(resized.stderr)
    throw new EngineError(
      isTooSmall ? 'failed-precondition' : 'internal',
      isTooSmall ? 'its content needs more room than that' : `resize2fs failed: ${resized.stderr}`,
    )
  }
  if (size > sizeBytes) await truncate(image, sizeBytes)
}

const sectorBytes = 512

/** What resize2fs makes it no smaller than, also of one that is mounted: of that, what is on disk. */
export async function leastSizeOf(image: string, spawner: Spawner): Promise<number> {
  const said = await spawner.mustRun(['resize2fs', '-P', image], { timeoutMs: measureWithinMs })
  const [, blocks] = /: (\d+)\s*$/.exec(said) ?? []
  if (blocks === undefined) throw new EngineError('internal', `resize2fs says no size: ${said}`)
  return Number(blocks) * (await blockSizeOf(image))
}

const measureWithinMs = 30_000
// ext4: the superblock is 1,024 bytes from the beginning, and log2(size) - 10 of a block is its seventh number.
const [superblockAt, blockSizeAt] = [1_024, 24]

async function blockSizeOf(image: string): Promise<number> {
  const file = await open(image, 'r')
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, superblockAt + blockSizeAt)
    return 1_024 * 2 ** buffer.readUInt32LE(0)
  } finally {
    await file.close()
  }
}

async function truncate(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(sizeBytes)
  } finally {
    await file.close()
  }
}

/** Its bytes, or a folder's names, are on disk afterwards. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** What it takes on disk, which is less than its size; 0 when it is not there. */
export async function allocatedBytes(image: string): Promise<number> {
  return existsSync(image) ? (await stat(image)).blocks * sectorBytes : 0
}
