/** A container's limits with all that was left out said, and how they get into force. */
import { EngineError } from '../errors.ts'
import { cgroupUsage, limitCgroup } from '../sys/cgroup-control.ts'
import type { CgroupLimits } from '../sys/cgroup-limits.ts'
import type { ContainerLimits } from './containers.ts'

/** No swap, the weight that everybody has, and no limit of the disk’s use, where nothing was said. */
export function wholeLimits(limits: ContainerLimits): CgroupLimits {
  return {
    ...limits,
    swapBytes: limits.swapBytes ?? 0,
    cpuWeight: limits.cpuWeight ?? 100,
    io: limits.io ?? {},
  }
}

/**
 * Changes the limits of a group in which processes run: all of them, or none. Throws failed-precondition when they use
 * more memory than they should get; asking the kernel for that would kill them.
 */
export async function changeLimits(
  cgroup: string,
  next: ContainerLimits,
  before: ContainerLimits,
  disk: string,
): Promise<void> {
  const { memoryBytes } = await cgroupUsage(cgroup)
  if (memoryBytes > next.memoryBytes)
    throw new EngineError(
      'failed-precondition',
      `the container uses ${memoryBytes} bytes of memory: a limit of ${next.memoryBytes} would kill it`,
    )
  try {
    await limitCgroup(cgroup, wholeLimits(next), wholeLimits(before), disk)
  } catch (error) {
    await limitCgroup(cgroup, wholeLimits(before), wholeLimits(next), disk).catch(() => {})
    throw error
  }
}
