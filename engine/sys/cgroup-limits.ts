/** Limits as writes to a control group's files, in an order that the kernel takes. Pure. Sources: cgroup-v1 and cgroup-v2 in the kernel's documentation. */

export interface CgroupLimits {
  memoryBytes: number
  swapBytes: number
  cpuMillis: number
  /** Share when processors are short, 1–10,000; 100 is everybody's. */
  cpuWeight: number
  /** Only what nobody else wants of the processors; the weight counts again when this ends. Source: cpu.idle, Linux 5.15. */
  cpuIdle?: boolean
  /** Processors, such as 0,2-3; default: those of the group above. */
  cpus?: string
  pids: number
  io: IoLimits
}

/** Of the disk that the engine's state is on; what is not said is not limited. */
export interface IoLimits {
  readBytesPerSecond?: number
  writeBytesPerSecond?: number
  readsPerSecond?: number
  writesPerSecond?: number
}

export interface CgroupWrite {
  /** v1 only. */
  controller: string
  file: string
  /** Null: what the group above has. */
  value: string | null
}

export const cpuPeriodUs = 100_000
export const cpuQuotaUs = (cpuMillis: number): number =>
  Math.max(1_000, Math.round((cpuMillis * cpuPeriodUs) / 1_000))

/** @param device `major:minor` of a whole disk; null where there is none to limit. */
export function limitsV1(
  next: CgroupLimits,
  before: CgroupLimits | null,
  device: string | null,
): CgroupWrite[] {
  const total = next.memoryBytes + next.swapBytes
  const memory = { controller: 'memory', file: 'memory.limit_in_bytes', value: String(next.memoryBytes) }
  const withSwap = { controller: 'memory', file: 'memory.memsw.limit_in_bytes', value: String(total) }
  // Memory may never be above memory with swap, not even between two writes.
  const grows = before !== null && total > before.memoryBytes + before.swapBytes
  // 1,024 is everybody's, as 100 is on v2.
  const shares = Math.min(262_144, Math.max(2, Math.round((next.cpuWeight * 1_024) / 100)))
  const throttle = (file: string, limit: number | undefined): CgroupWrite[] =>
    device === null || (limit === undefined && before === null)
      ? []
      : [{ controller: 'blkio', file: `blkio.throttle.${file}`, value: `${device} ${limit ?? 0}` }]
  return [
    ...(grows ? [withSwap, memory] : [memory, withSwap]),
    { controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(cpuQuotaUs(next.cpuMillis)) },
    ...aroundWeight({ controller: 'cpu', file: 'cpu.shares', value: String(shares) }, next, before),
    ...processors(next, before),
    { controller: 'pids', file: 'pids.max', value: String(next.pids) },
    ...throttle('read_bps_device', next.io.readBytesPerSecond),
    ...throttle('write_bps_device', next.io.writeBytesPerSecond),
    ...throttle('read_iops_device', next.io.readsPerSecond),
    ...throttle('write_iops_device', next.io.writesPerSecond),
  ]
}

/** @param device as for v1. Nothing is written of the disk for a new group without limits of its use. */
export function limitsV2(
  next: CgroupLimits,
  before: CgroupLimits | null,
  device: string | null,
): CgroupWrite[] {
  const write = (file: string, value: string | number) => ({ controller: '', file, value: String(value) })
  const { io } = next
  const isIoSaid = Object.values(io).some((limit) => limit !== undefined)
  return [
    write('memory.max', next.memoryBytes),
    write('memory.swap.max', next.swapBytes),
    write('cpu.max', `${cpuQuotaUs(next.cpuMillis)} ${cpuPeriodUs}`),
    ...aroundWeight(write('cpu.weight', next.cpuWeight), next, before),
    ...processors(next, before),
    write('pids.max', next.pids),
    ...(device === null || (!isIoSaid && before === null)
      ? []
      : [
          write(
            'io.max',
            `${device} rbps=${io.readBytesPerSecond ?? 'max'} wbps=${io.writeBytesPerSecond ?? 'max'} riops=${io.readsPerSecond ?? 'max'} wiops=${io.writesPerSecond ?? 'max'}`,
          ),
        ]),
  ]
}

/** The kernel takes no weight of a group that is idle. */
function aroundWeight(weight: CgroupWrite, next: CgroupLimits, before: CgroupLimits | null): CgroupWrite[] {
  const idle = (value: string) => ({ ...weight, file: 'cpu.idle', value })
  return [
    ...(before?.cpuIdle === true ? [idle('0')] : []),
    weight,
    ...(next.cpuIdle === true ? [idle('1')] : []),
  ]
}

function processors({ cpus }: CgroupLimits, before: CgroupLimits | null): CgroupWrite[] {
  if (cpus === before?.cpus) return []
  return [{ controller: 'cpuset', file: 'cpuset.cpus', value: cpus ?? null }]
}
