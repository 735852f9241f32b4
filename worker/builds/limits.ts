/** What one build may use, and how many a host can have at once. */
import os from 'node:os'
import type { BuildLimits, GitLimits, IdRange } from '../../engine/index.ts'

const gibibyte = 2 ** 30

export function buildLimits(): BuildLimits {
  return {
    memoryBytes: Math.min(4 * gibibyte, Math.floor(os.totalmem() / 2)),
    cpuMillis: os.availableParallelism() * 1_000,
    pids: 2_048,
    diskBytes: 10 * gibibyte,
    timeMs: 30 * 60_000,
  }
}

/** Of fetching source. */
export function gitLimits(): GitLimits {
  return {
    memoryBytes: Math.min(gibibyte, Math.floor(os.totalmem() / 4)),
    ...{ cpuMillis: 1_000, pids: 128, diskBytes: 4 * gibibyte, timeMs: 10 * 60_000 },
  }
}

/** Of taking in a push, which lasts as long as its deployment. */
export function pushLimits(): GitLimits {
  return { ...gitLimits(), diskBytes: 2 * gibibyte, timeMs: 2 * 3_600_000 }
}

/** As many as there is memory for beside what runs, and no more than there are processors. */
export function buildPlaces({ memoryBytes }: BuildLimits): number {
  return Math.max(1, Math.min(os.availableParallelism(), Math.floor(os.totalmem() / 2 / memoryBytes)))
}

/** Whether another build would find the memory that it may use. */
export function hasRoomFor({ memoryBytes }: BuildLimits): boolean {
  return process.availableMemory() > memoryBytes
}

/** Above the ranges of 30,000 teams and the operator's: a team's builds are nobody to its containers, too. */
const firstBuildId = 2_100_000_000

export function buildIdRange({ base, size }: IdRange): IdRange {
  return { base: base + firstBuildId, size }
}
