import { mkdirSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'

const mostBytes = 24 * 2 ** 30

/**
 * A file system of the run's own, and the context that works in it: ext4 with a journal, as servers have it, on a loop
 * device that reads and writes without a second cache. What others write here meanwhile is not synced with ours. And on
 * a disk without a journal, making a file costs the more the more files were deleted within the last minutes
 * (`recently_deleted` in the kernel's fs/ext4/ialloc.c), so that each contestant would pay for the one before it.
 */
export async function onOwnDisk(context: BenchContext): Promise<BenchContext> {
  // Names on the host are made with the folder's, and two runs at once must not end each other's parts.
  const folder = join(context.folder, `disk-${basename(context.folder).slice(-6)}`)
  mkdirSync(folder)
  try {
    await mountDisk(folder, context)
  } catch (error) {
    context.signal.throwIfAborted()
    context.note(`no file system of its own, so what else happens on this disk counts: ${String(error)}`)
  }
  return { ...context, folder }
}

async function mountDisk(folder: string, { signal, defer }: BenchContext): Promise<void> {
  const image = `${folder}.img`
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(image, '')
  truncateSync(image, Math.min(mostBytes, Math.floor(bavail * bsize * 0.9)))
  // What mkfs leaves for later would be written in the middle of a turn, unless the mount says never.
  await run(['mkfs.ext4', '-q', '-E', 'lazy_itable_init=1,nodiscard', image], { signal })
  const device = (await run(['losetup', '--direct-io=on', '--show', '--find', image], { signal })).trim()
  try {
    await run(['mount', '-o', 'noinit_itable', device, folder], { signal })
    defer(() => run(['umount', '--lazy', folder]))
  } finally {
    // It is there until the mount goes, also when we are killed.
    await run(['losetup', '--detach', device])
  }
}
