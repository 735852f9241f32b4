/** What a container uses, and what runs in it. */
import type { CgroupUsage } from '../sys/cgroup-usage.ts'

export interface ContainerMeasures {
  /** What it has used since it was started. */
  stats(idOrName: string): Promise<ContainerStats>
  /** Now and then every so often (default 1,000), until it ends or the signal. */
  watchStats(
    idOrName: string,
    options?: { everyMs?: number; signal?: AbortSignal },
  ): AsyncIterable<ContainerStats>
  /** What all containers that are not aside have used together, with those that have gone as long as any is there. */
  usageOfAll(): Promise<CgroupUsage>
  /** How many of its threads run or wait for a processor at this moment, at most 256. */
  runnableThreads(idOrName: string): Promise<number>
  /** Its processes, by pid. */
  top(idOrName: string): Promise<ContainerProcess[]>
}

/** Sums since its start; the difference of two over the time between them is a rate. */
export interface ContainerStats extends CgroupUsage {
  at: string
  receivedBytes: number
  receivedPackets: number
  sentBytes: number
  sentPackets: number
  limits: { memoryBytes: number; cpuMillis: number; pids: number }
}

export interface ContainerProcess {
  /** As the container sees it. */
  pid: number
  hostPid: number
  /** As the container sees it. */
  uid: number
  /** R runs, S sleeps, D waits for a disk, T is stopped, Z has ended. */
  state: string
  cpuMs: number
  memoryBytes: number
  command: string[]
}
