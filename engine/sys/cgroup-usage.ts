/** What a control group has used, from its files as text: v1 and v2. Pure. Sources: cgroup-v1 and cgroup-v2 in the kernel's documentation. */

export interface CgroupUsage {
  /** Processor time, nanoseconds. */
  cpuNs: number
  /** Time for which it wanted to run and was not let, nanoseconds. */
  cpuThrottledNs: number
  /** Without the file cache that the kernel takes back when somebody needs memory. */
  memoryBytes: number
  memoryCacheBytes: number
  pids: number
  /** Times that the kernel killed a process of the group for memory. */
  outOfMemoryKills: number
  readBytes: number
  writtenBytes: number
  reads: number
  writes: number
}

/** Content by path, relative to the folder of the controller (v1: `memory/memory.stat`) or of the group (v2). */
export type CgroupFiles = Readonly<Record<string, string>>

export const usageFilesV1 = [
  'cpuacct/cpuacct.usage',
  'cpu/cpu.stat',
  'memory/memory.usage_in_bytes',
  'memory/memory.stat',
  'memory/memory.oom_control',
  'pids/pids.current',
  'blkio/blkio.throttle.io_service_bytes_recursive',
  'blkio/blkio.throttle.io_serviced_recursive',
] as const

export const usageFilesV2 = [
  'cpu.stat',
  'memory.current',
  'memory.stat',
  'memory.events',
  'pids.current',
  'io.stat',
] as const

/** A file that is missing counts as zero: a kernel may lack a controller. */
export function usageV1(files: CgroupFiles): CgroupUsage {
  const memory = fields(files['memory/memory.stat'])
  const cache = memory.get('total_inactive_file') ?? 0
  const bytes = operations(files['blkio/blkio.throttle.io_service_bytes_recursive'])
  const times = operations(files['blkio/blkio.throttle.io_serviced_recursive'])
  return {
    cpuNs: whole(files['cpuacct/cpuacct.usage']),
    cpuThrottledNs: fields(files['cpu/cpu.stat']).get('throttled_time') ?? 0,
    memoryBytes: Math.max(0, whole(files['memory/memory.usage_in_bytes']) - cache),
    memoryCacheBytes: cache,
    pids: whole(files['pids/pids.current']),
    outOfMemoryKills: fields(files['memory/memory.oom_control']).get('oom_kill') ?? 0,
    readBytes: bytes.read,
    writtenBytes: bytes.write,
    reads: times.read,
    writes: times.write,
  }
}

/** As usageV1. */
export function usageV2(files: CgroupFiles): CgroupUsage {
  const cpu = fields(files['cpu.stat'])
  const cache = fields(files['memory.stat']).get('inactive_file') ?? 0
  const io = (files['io.stat'] ?? '').matchAll(/\b(rbytes|wbytes|rios|wios)=(\d+)/g)
  const sums = { rbytes: 0, wbytes: 0, rios: 0, wios: 0 }
  for (const [, name, value] of io) sums[name as keyof typeof sums] += Number(value)
  return {
    cpuNs: (cpu.get('usage_usec') ?? 0) * 1_000,
    cpuThrottledNs: (cpu.get('throttled_usec') ?? 0) * 1_000,
    memoryBytes: Math.max(0, whole(files['memory.current']) - cache),
    memoryCacheBytes: cache,
    pids: whole(files['pids.current']),
    outOfMemoryKills: fields(files['memory.events']).get('oom_kill') ?? 0,
    readBytes: sums.rbytes,
    writtenBytes: sums.wbytes,
    reads: sums.rios,
    writes: sums.wios,
  }
}

/** Lines of `name value`. */
function fields(text = ''): Map<string, number> {
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/))
  return new Map(rows.flatMap(([name, value]) => (name && value ? [[name, Number(value)] as const] : [])))
}

/** Lines of `8:0 Read 4096`, and a total that is left out. */
function operations(text = ''): { read: number; write: number } {
  const sums = { read: 0, write: 0 }
  for (const [, what, value] of text.matchAll(/^\d+:\d+ (Read|Write) (\d+)$/gm))
    sums[what === 'Read' ? 'read' : 'write'] += Number(value)
  return sums
}

const whole = (text = '') => Number(text.trim()) || 0
