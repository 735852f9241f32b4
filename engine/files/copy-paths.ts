/**
 * Files out of a container (pack-path.ts) and into it (unpack-into.ts), as a tar. What is in there may change at any time
 * and lie: every name is looked up below the container's root by openat2, or as the last part of a path below an open
 * folder, never followed.
 */
import { closeSync, constants, openSync, statfsSync } from 'node:fs'
import type { Header } from 'tar-stream'
import { EngineError } from '../errors.ts'
import { openAt } from '../sys/in-root.ts'
import { SystemCallError } from '../sys/syscalls.ts'

export const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY
/** procfs, sysfs, cgroup, cgroup2: they answer to whoever reads, and that is the host's root here. Source: statfs(2). */
const kernelsOwn = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270])

/** tar-stream fills in what is left out. */
export type EntryHeader = Partial<Header> & { name: string }

/** A name in an open folder, for calls that don't follow the last part of a path. */
export const within = (folder: number, name: string) => `/proc/self/fd/${folder}/${name}`

/** Closes the descriptor when the work is done, or has thrown. */
export function withFd<T>(fd: number, work: (fd: number) => T): T {
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}

/** A folder below `root`, links followed below it alone. Throws not-found, and invalid for what the kernel keeps. */
export function openFolder(root: number, path: string): number {
  const fd = told(path, () => openAt(root, path, folderFlags))
  if (!kernelsOwn.has(statfsSync(within(fd, '.')).type)) return fd
  closeSync(fd)
  throw new EngineError('invalid', `${path} is the kernel's: nothing is copied from or to it`)
}

/** What a call on a file of a container throws, as an error of ours that names the path. */
export function told<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ENOENT')
      throw new EngineError('not-found', `the container has no ${path}`, { cause: error })
    if (['ELOOP', 'ENOTDIR', 'EEXIST', 'EISDIR', 'EXDEV'].includes(code))
      throw new EngineError('invalid', `${path} cannot be used: ${code}`, { cause: error })
    if (error instanceof SystemCallError || code !== '')
      throw new EngineError(
        code === 'ENOSPC' || code === 'EDQUOT' ? 'limit-exceeded' : 'internal',
        `${path}: ${(error as Error).message}`,
        { cause: error },
      )
    throw error
  }
}

/** The root folder of a process, with all that is mounted there. */
export const rootOfProcess = (pid: number): number => openSync(`/proc/${pid}/root`, folderFlags)
export const rootOfFolder = (path: string): number => openSync(path, folderFlags)
