/** Reads, limits and freezes the control group of something that runs. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../errors.ts'
import { type CgroupLimits, limitsV1, limitsV2 } from './cgroup-limits.ts'
import { type CgroupUsage, usageFilesV1, usageFilesV2, usageV1, usageV2 } from './cgroup-usage.ts'
import { cgroupMode } from './cgroups.ts'

const root = '/sys/fs/cgroup'
const frozenWithinMs = 5_000

/** `name` is `memory/memory.stat` on v1 and `memory.stat` on v2. */
async function fileOf(group: string, controller: string, file: string): Promise<string> {
  return (await cgroupMode()) === 'v2' ? join(root, group, file) : join(root, controller, group, file)
}

/** The kernel answers out of its memory, in a hundredth of a millisecond: to wait for each file costs eight times as much. */
export async function cgroupUsage(group: string): Promise<CgroupUsage> {
  const isV2 = (await cgroupMode()) === 'v2'
  const names: readonly string[] = isV2 ? usageFilesV2 : usageFilesV1
  const read = (name: string) => {
    const [controller = '', file = ''] = isV2 ? ['', name] : name.split('/')
    return readNow(join(root, controller, group, file))
  }
  const files = Object.fromEntries(names.map((name) => [name, read(name)]))
  return isV2 ? usageV2(files) : usageV1(files)
}

/** Nothing, where there is no such file or not any more. */
export function readNow(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Host pids of all its processes. */
export async function cgroupPids(group: string): Promise<number[]> {
  const text = await readFile(await fileOf(group, 'pids', 'cgroup.procs'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).map(Number)
}

/** Of so many threads enough can be said without reading the files of them all. */
const mostThreads = 256

/** How many threads of a group run or wait for a processor at this moment, at most 256. Source: proc(5), stat. */
export async function runnableThreads(group: string): Promise<number> {
  const name = (await cgroupMode()) === 'v2' ? 'cgroup.threads' : 'tasks'
  const threads = readNow(await fileOf(group, 'cpu', name))
    .split('\n')
    .filter(Boolean)
  return threads.slice(-mostThreads).filter((id) => /\) R [^)]*$/.test(readNow(`/proc/${id}/stat`))).length
}

/**
 * @param before null for a new group.
 * @param disk a path on the disk that io limits are for.
 * Throws unsupported for a limit that this kernel has no file for, failed-precondition when the kernel refuses one.
 */
export async function limitCgroup(
  group: string,
  next: CgroupLimits,
  before: CgroupLimits | null,
  disk: string,
): Promise<void> {
  const device = diskOf(disk)
  if (device === null && Object.keys(next.io).length > 0)
    throw new EngineError('unsupported', `the disk of ${disk} is no block device: its use cannot be limited`)
  const isV2 = (await cgroupMode()) === 'v2'
  const writes = isV2 ? limitsV2(next, before, device) : limitsV1(next, before, device)
  for (const { controller, file, value: said } of writes) {
    const path = await fileOf(group, controller, file)
    // Without swap accounting there is no swap to limit; before Linux 5.15 there is the weight alone; and a host of v2 may
    // share out no processors.
    if (/memsw|swap\.max|cpu\.idle|cpuset/.test(file) && !existsSync(path)) continue
    // To v2 an empty line means that; a write of nothing at all would be none.
    const value = said ?? (isV2 ? '\n' : readFileSync(join(path, '../..', file), 'utf8'))
    await writeFile(path, value).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT')
        throw new EngineError('unsupported', `this kernel has no ${file}: enable its cgroup controller`)
      throw new EngineError(
        'failed-precondition',
        `the kernel does not take ${value} for ${file}: ${error.code}`,
        {
          cause: error,
        },
      )
    })
  }
}

/** `major:minor` of the whole disk that holds a path. */
function diskOf(path: string): string | null {
  const { dev } = statSync(path)
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`
  const folder = `/sys/dev/block/${device}`
  if (!existsSync(folder)) return null
  return existsSync(join(folder, 'partition')) ? readFileSync(join(folder, '../dev'), 'utf8').trim() : device
}

/** Holds every process of a group still, or lets them go on; returns when the kernel says so. */
export async function freezeCgroup(group: string, isFrozen: boolean): Promise<void> {
  const isV2 = (await cgroupMode()) === 'v2'
  const file = await fileOf(group, 'freezer', isV2 ? 'cgroup.freeze' : 'freezer.state')
  const state = await fileOf(group, 'freezer', isV2 ? 'cgroup.events' : 'freezer.state')
  const wanted = isV2 ? `frozen ${Number(isFrozen)}` : isFrozen ? 'FROZEN' : 'THAWED'
  for (const until = Date.now() + frozenWithinMs; ; await sleep(2)) {
    // v1 may stay FREEZING until it is asked again.
    await writeFile(file, isV2 ? String(Number(isFrozen)) : wanted).catch((error: NodeJS.ErrnoException) => {
      throw new EngineError('unsupported', `this host cannot hold processes still (${error.code})`, {
        cause: error,
      })
    })
    if ((await readFile(state, 'utf8')).includes(wanted)) return
    if (Date.now() > until)
      throw new EngineError(
        'unavailable',
        `a process did not let itself be held still in ${frozenWithinMs} ms`,
      )
  }
}

/** False also when there is no such group. */
export async function isFrozen(group: string): Promise<boolean> {
  const isV2 = (await cgroupMode()) === 'v2'
  const state = await fileOf(group, 'freezer', isV2 ? 'cgroup.events' : 'freezer.state')
  return /^(FROZEN|FREEZING)|frozen 1/m.test(await readFile(state, 'utf8').catch(() => ''))
}
