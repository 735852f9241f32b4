/** What this host uses, out of the kernel's files. Sources: proc(5), statfs(2). */
import { readFile, statfs } from 'node:fs/promises'
import { loadavg } from 'node:os'

export interface ProcessorTimes {
  /** Ticks since the host started, of all its processors. */
  busy: number
  all: number
  processors: number
}

export interface HostUsage {
  times: ProcessorTimes
  memoryBytes: number
  memoryTotalBytes: number
  diskBytes: number
  diskTotalBytes: number
  load: number
}

/** `folder`: on the file system that is measured. */
export async function hostUsage(folder: string): Promise<HostUsage> {
  const [stat, memory, disk] = await Promise.all([
    readFile('/proc/stat', 'utf8'),
    readFile('/proc/meminfo', 'utf8'),
    statfs(folder),
  ])
  const { total, available } = parseMemory(memory)
  return {
    times: parseTimes(stat),
    memoryBytes: total - available,
    memoryTotalBytes: total,
    // As df(1) has it: what is kept for root counts for neither.
    diskBytes: (disk.blocks - disk.bfree) * disk.bsize,
    diskTotalBytes: (disk.blocks - disk.bfree + disk.bavail) * disk.bsize,
    load: loadavg()[0] ?? 0,
  }
}

/** Waiting for a disk is idle; what guests use is in the user's time already. */
export function parseTimes(stat: string): ProcessorTimes {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = (
    /^cpu +(.*)$/m.exec(stat)?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  const busy = user + nice + system + irq + softirq + steal
  return { busy, all: busy + idle + wait, processors: stat.match(/^cpu\d+ /gm)?.length ?? 1 }
}

/** Bytes. */
export function parseMemory(meminfo: string): { total: number; available: number } {
  const of = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1_024
  return { total: of('MemTotal'), available: of('MemAvailable') }
}
