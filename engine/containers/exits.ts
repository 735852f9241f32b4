/** Notices that containers ended: conmon leaves a file with the exit code, named by id, by one rename. */
import { watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { memoryPeakOf, wasOutOfMemory } from '../sys/cgroups.ts'
import type { ContainerRow } from './container-rows.ts'
import { failuresAfter } from './restart-policy.ts'

/** For ends that left no file, as when conmon itself was killed. */
const lookMs = 1_000

export interface Exit {
  /** Null when nobody knows it: conmon was killed. */
  exitCode: number | null
  oomKilled: boolean
  memoryPeakBytes: number | null
  at: Date
}

export const unknownExit = (): Exit => ({
  exitCode: null,
  oomKilled: false,
  memoryPeakBytes: null,
  at: new Date(),
})

/** What a container's row says once its run has ended so. */
export function endingOf(
  { failures, startedAt }: ContainerRow,
  { exitCode, oomKilled, memoryPeakBytes, at }: Exit,
): Partial<ContainerRow> {
  const ranMs = at.getTime() - Date.parse(startedAt ?? '')
  return {
    status: 'exited',
    pid: null,
    exitCode,
    oomKilled,
    memoryPeakBytes,
    finishedAt: at.toISOString(),
    health: null,
    failures: failuresAfter(failures, ranMs),
  }
}

/** Calls back with a name that appeared in the folder, and each second without one: look at all. */
export function watchExits(folder: string, look: (id?: string) => void): () => void {
  const watcher = watch(folder, { persistent: false }, (_event, name) => name && look(name))
  watcher.on('error', () => {})
  const timer = setInterval(() => look(), lookMs)
  timer.unref()
  return () => {
    watcher.close()
    clearInterval(timer)
  }
}

/** What is known of an end; call it before the container's cgroup is removed. Null if there is no exit file. */
export async function readExit(exitFile: string, cgroup: string): Promise<Exit | null> {
  const text = await readFile(exitFile, 'utf8').catch(() => null)
  if (text === null) return null
  const exitCode = /^\d+$/.test(text.trim()) ? Number(text) : null
  const oomKilled = exitCode !== 0 && (await wasOutOfMemory(cgroup))
  const memoryPeakBytes = await memoryPeakOf(cgroup)
  const found = await stat(exitFile).catch(() => null)
  return { exitCode, oomKilled, memoryPeakBytes, at: found?.mtime ?? new Date() }
}
