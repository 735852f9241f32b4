/** What a container uses, and what runs in it. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupPids, cgroupUsage, readNow, runnableThreads } from '../sys/cgroup-control.ts'
import type { ContainerMeasures, ContainerStats } from './containers.ts'
import type { Core } from './core.ts'
import { parseProcess } from './processes.ts'
import { canSignal, mustBe } from './status.ts'

const defaultEveryMs = 1_000

export function createMeasures(core: Core): ContainerMeasures {
  const { runs, rowOf } = core

  async function stats(idOrName: string): Promise<ContainerStats> {
    const row = rowOf(idOrName)
    mustBe(canSignal, row, 'measure', 'start it first')
    const usage = await cgroupUsage(runs.cgroup(row.id))
    const devices = readNow(`/proc/${row.pid}/net/dev`)
    const { memoryBytes, cpuMillis, pids } = row.spec.limits
    return {
      at: new Date().toISOString(),
      ...usage,
      ...parseTraffic(devices),
      limits: { memoryBytes, cpuMillis, pids },
    }
  }

  return {
    stats,
    async *watchStats(idOrName, { everyMs = defaultEveryMs, signal } = {}) {
      const { id } = rowOf(idOrName)
      while (!signal?.aborted) {
        const row = core.isClosed() ? null : core.rows.find(id)
        if (row === null || !canSignal(row.status)) return
        yield await stats(id)
        await sleep(everyMs, undefined, { signal }).catch(() => {})
      }
    },
    usageOfAll: () => cgroupUsage(core.cgroupParent),
    async runnableThreads(idOrName) {
      return runnableThreads(runs.cgroup(rowOf(idOrName).id))
    },
    async top(idOrName) {
      const row = rowOf(idOrName)
      mustBe(canSignal, row, 'list the processes of', 'start it first')
      const { base, size } = row.spec.idRange
      const read = async (pid: number) => {
        const texts = await Promise.all(
          ['stat', 'status', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
        ).catch(() => null)
        const [stat = '', status = '', cmdline = ''] = texts ?? []
        return texts === null ? [] : [parseProcess({ stat, status, cmdline }, { base, size })]
      }
      const found = await Promise.all((await cgroupPids(runs.cgroup(row.id))).map(read))
      return found.flat().sort((one, other) => one.pid - other.pid)
    },
  }
}

/** All of /proc/PID/net/dev but loopback, from the container's side. Pure. Source: proc(5). */
export function parseTraffic(
  text: string,
): Pick<ContainerStats, 'receivedBytes' | 'receivedPackets' | 'sentBytes' | 'sentPackets'> {
  const sums = { receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0 }
  for (const [, name, rest = ''] of text.matchAll(/^\s*([^\s:]+):(.*)$/gm)) {
    if (name === 'lo') continue
    const fields = rest.trim().split(/\s+/).map(Number)
    sums.receivedBytes += fields[0] ?? 0
    sums.receivedPackets += fields[1] ?? 0
    sums.sentBytes += fields[8] ?? 0
    sums.sentPackets += fields[9] ?? 0
  }
  return sums
}
