/**
 * Folders that can't outgrow a size. Where the state's file system has project quota, that limits them; otherwise each
 * is a file system of its own in a file (`disk.img`), mounted at `disk` while it is used. Without a size it is a
 * plain folder. What is to be stored goes to `data`.
 */
import { existsSync, statSync } from 'node:fs'
import { chmod, chown, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { forgetLimit, hasProjectQuota, limitFolder } from '../sys/project-quota.ts'
import type { Spawner } from '../sys/spawner.ts'
import { unmount } from '../sys/syscalls.ts'

export type DiskLimit = 'project-quota' | 'own-file-system' | 'none'

/** A file system needs some of it for itself. */
export const leastDiskBytes = 16 * 2 ** 20

/**
 * Makes `folder`; what a cut left of it is made anew. One that is to be copied as it is at one moment needs a file system
 * of its own, which can be frozen.
 */
export async function makeLimited(
  folder: string,
  options: { sizeBytes: number | null; owner: number; spawner: Spawner; mayShare?: boolean },
): Promise<void> {
  const { sizeBytes, owner, spawner, mayShare = true } = options
  await mkdir(folder, { recursive: true, mode: 0o711 })
  await chmod(folder, 0o711)
  const data = join(folder, 'data')
  if (sizeBytes === null) return makeData(data, owner)
  if (existsSync(imageOf(folder))) return
  if (mayShare && hasProjectQuota(folder)) {
    await makeData(data, owner)
    return limitFolder(data, sizeBytes)
  }
  const unfinished = `${imageOf(folder)}.tmp`
  const file = await open(unfinished, 'w', 0o600)
  try {
    await file.truncate(sizeBytes)
  } finally {
    await file.close()
  }
  const settings = 'lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0'
  await spawner.mustRun(['mkfs.ext4', '-q', '-F', '-m', '0', '-E', settings, unfinished])
  await mkdir(diskOf(folder), { recursive: true, mode: 0o711 })
  await rename(unfinished, imageOf(folder))
}

/** Answers with where the data is, mounted if it has to be. */
export async function openLimited(folder: string, owner: number, spawner: Spawner): Promise<string> {
  if (!existsSync(imageOf(folder))) return join(folder, 'data')
  const disk = diskOf(folder)
  if (!isMounted(disk))
    await spawner.mustRun(['mount', '-t', 'ext4', '-o', 'loop,nosuid,nodev', imageOf(folder), disk])
  const data = join(disk, 'data')
  await makeData(data, owner)
  return data
}

/** May be called at any time. Who has it mounted in a namespace of its own keeps it. */
export function closeLimited(folder: string): void {
  if (existsSync(join(folder, 'disk'))) unmount(diskOf(folder), { detach: true })
}

/** Whether it is mounted. */
export function isOpen(folder: string): boolean {
  return isMounted(diskOf(folder))
}

/** What limits it: nothing, too, once quota that was on when it was made is off. */
export function limitOf(folder: string, sizeBytes: number | null): DiskLimit {
  if (sizeBytes === null) return 'none'
  if (existsSync(imageOf(folder))) return 'own-file-system'
  return hasProjectQuota(folder) ? 'project-quota' : 'none'
}

/** With all that is in it; no error if it is not there. */
export async function removeLimited(folder: string): Promise<void> {
  letGo(folder)
  await rm(folder, { recursive: true, force: true })
}

/** To be called before the folder is removed, in whatever way. */
export function letGo(folder: string): void {
  closeLimited(folder)
  const data = join(folder, 'data')
  if (existsSync(data) && hasProjectQuota(folder)) forgetLimit(data)
}

/** The file that it is in, if it is a file system of its own. */
export const imageOf = (folder: string) => join(folder, 'disk.img')
/** Where that is mounted while it is open. */
export const diskOf = (folder: string) => join(folder, 'disk')

async function makeData(path: string, owner: number): Promise<void> {
  // Whose it is once it is there is its user's matter.
  if ((await mkdir(path, { recursive: true })) === undefined) return
  await chmod(path, 0o755)
  await chown(path, owner, owner)
}

/** By its device: the list of all mounts is long where there are many containers. */
function isMounted(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && found.dev !== statSync(dirname(path)).dev
}
