/** Control groups, v1, v2 and hybrid. Source: cgroups(7). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'
/** Where the v2 hierarchy is, where it is beside those of v1. */
export const unifiedFolder = join(root, 'unified')

export type CgroupMode = 'v1' | 'v2' | 'hybrid'

/** `hybrid`: v1 controllers, and a v2 hierarchy beside them that holds at least one controller. */
export async function cgroupMode(): Promise<CgroupMode> {
  if ((await readFile(join(root, 'cgroup.controllers'), 'utf8').catch(() => null)) !== null) return 'v2'
  const beside = await readFile(join(unifiedFolder, 'cgroup.controllers'), 'utf8').catch(() => '')
  return beside.trim() === '' ? 'v1' : 'hybrid'
}

/** Folders of a group: one on v2, one for each controller on v1. `path` begins with a slash. */
export async function cgroupFolders(path: string): Promise<string[]> {
  if ((await cgroupMode()) === 'v2') return [join(root, path)]
  const names = await readdir(root, { withFileTypes: true })
  return names.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name, path))
}

/** Whether the kernel killed a process of this group for memory. */
export async function wasOutOfMemory(path: string): Promise<boolean> {
  const files = [join(root, 'memory', path, 'memory.oom_control'), join(root, path, 'memory.events')]
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (/^oom_kill ([1-9]\d*)$/m.test(text)) return true
  }
  return false
}

/** The most memory that a group held at once, file cache included; null where the kernel does not say (v2 before 5.19). */
export async function memoryPeakOf(path: string): Promise<number | null> {
  const files = [join(root, 'memory', path, 'memory.max_usage_in_bytes'), join(root, path, 'memory.peak')]
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (/^\d+$/.test(text.trim())) return Number(text)
  }
  return null
}

/** Names of the groups below `path`. */
export async function childCgroups(path: string): Promise<string[]> {
  const names = new Set<string>()
  for (const folder of await cgroupFolders(path))
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
      if (entry.isDirectory()) names.add(entry.name)
  return [...names]
}

/** Kills whatever is left in a group and removes it with all below it, deepest first. */
export async function removeCgroup(path: string): Promise<void> {
  const folders = await cgroupFolders(path)
  for (const folder of folders) {
    // v2 ends all of it at once, faster than it can fork.
    await writeFile(join(folder, 'cgroup.kill'), '1').catch(() => {})
    // What is held still by v1 would not even die, and its groups of other controllers can't go before it.
    await writeFile(join(folder, 'freezer.state'), 'THAWED').catch(() => {})
  }
  for (const folder of folders) await removeFolder(folder)
}

async function removeFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => null)
  if (entries === null) return
  for (const entry of entries) if (entry.isDirectory()) await removeFolder(join(folder, entry.name))
  const deadline = Date.now() + 2_000
  for (;;) {
    const pids = (await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => ''))
      .split('\n')
      .filter(Boolean)
    for (const pid of pids) {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // It ended by itself.
      }
    }
    const gone = await rmdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    )
    if (gone || Date.now() > deadline) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/**
 * Puts a process into a group of its own in every hierarchy, made if need be; what it starts from then on is there
 * too. `folders` as cgroupFolders() gives them. Whoever ends all processes of the group that we were started in, as
 * Docker and systemd do, then leaves it alone.
 */
export function enterCgroup(folders: string[], pid: number): void {
  for (const folder of folders.filter((path) => existsSync(join(path, '../cgroup.procs')))) {
    mkdirSync(folder, { recursive: true })
    // A new group of v1 has no processors and no memory, and takes nobody. One of v2 has its parent's, and the topmost
    // group of v2 has no such files. Source: cpuset(7).
    for (const name of ['cpuset.mems', 'cpuset.cpus']) {
      const [file, above] = [join(folder, name), join(folder, '..', name)]
      if (existsSync(file) && existsSync(above) && readFileSync(file, 'utf8').trim() === '')
        writeFileSync(file, readFileSync(above))
    }
    writeFileSync(join(folder, 'cgroup.procs'), String(pid))
  }
}

/** Removes a group that has neither processes nor groups below it; leaves it otherwise. */
export async function removeEmptyCgroup(path: string): Promise<void> {
  for (const folder of await cgroupFolders(path)) await rmdir(folder).catch(() => {})
}
