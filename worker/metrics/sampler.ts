import { setImmediate } from 'node:timers/promises'
import type { Container, ContainerStats } from '../../engine/index.ts'
import { metricSteps } from '../../platform/model/metrics.ts'
import { type Measured, recordMetrics } from '../../platform/worker/metrics.ts'
import { isTask, labels, slotOf } from '../container-spec.ts'
import type { Host } from '../host.ts'
import { type HostUsage, hostUsage } from './host-usage.ts'

const stepMs = metricSteps[0].seconds * 1_000
const atOnce = 25

/** Measures the host and its containers, and writes it down: one point of each for each call. */
export function createSampler(host: Pick<Host, 'id' | 'engine' | 'platform'>): () => Promise<void> {
  const last = new Map<string, ContainerStats>()
  let lastOfHost: HostUsage | null = null

  async function ofContainer(container: Container): Promise<Measured[]> {
    const now = await host.engine.containers.stats(container.id).catch(() => null)
    // One that ends at this moment can't be measured.
    if (now === null) return []
    const before = last.get(container.id)
    last.set(container.id, now)
    const values = before === undefined ? null : rates(before, now)
    if (values === null) return []
    const { process, replica } = slotOf(container)
    const appId = container.labels[labels.app] ?? null
    return [{ subject: container.id, hostId: host.id, appId, process, replica, values }]
  }

  async function ofHost(containers: number): Promise<Measured[]> {
    const now = await hostUsage(host.platform.config.home)
    const before = lastOfHost
    lastOfHost = now
    if (before === null) return []
    const cpuLimitMillis = now.times.processors * 1_000
    const ticks = now.times.all - before.times.all
    const cpuMillis = ticks <= 0 ? null : (cpuLimitMillis * (now.times.busy - before.times.busy)) / ticks
    const { memoryBytes, memoryTotalBytes, diskBytes, diskTotalBytes, load } = now
    const disk = [diskBytes, diskTotalBytes]
    const values = [cpuMillis, cpuLimitMillis, memoryBytes, memoryTotalBytes, ...disk, load, containers]
    return [{ subject: host.id, hostId: host.id, appId: null, process: null, replica: null, values }]
  }

  return async () => {
    const at = new Date(Math.floor(Date.now() / stepMs) * stepMs)
    const serving = (await host.engine.containers.list()).filter(
      (container) =>
        container.status === 'running' && container.labels[labels.app] !== undefined && !isTask(container),
    )
    for (const id of last.keys()) if (!serving.some((each) => each.id === id)) last.delete(id)
    const measured = await ofHost(serving.length)
    for (let from = 0; from < serving.length; from += atOnce) {
      measured.push(...(await Promise.all(serving.slice(from, from + atOnce).map(ofContainer))).flat())
      // Others' turn: to measure these took some milliseconds.
      await setImmediate()
    }
    await recordMetrics(host.platform, at, measured)
  }
}

/** In the order of `containerMetrics`; null where its counters began anew. Pure. */
export function rates(before: ContainerStats, now: ContainerStats): (number | null)[] | null {
  const seconds = (Date.parse(now.at) - Date.parse(before.at)) / 1_000
  if (seconds <= 0 || now.cpuNs < before.cpuNs) return null
  const perSecond = (name: 'receivedBytes' | 'sentBytes' | 'readBytes' | 'writtenBytes') =>
    Math.max(0, now[name] - before[name]) / seconds
  return [
    (now.cpuNs - before.cpuNs) / 1e6 / seconds,
    now.limits.cpuMillis,
    Math.min(1, Math.max(0, now.cpuThrottledNs - before.cpuThrottledNs) / 1e9 / seconds),
    now.memoryBytes,
    now.limits.memoryBytes,
    now.pids,
    now.limits.pids,
    perSecond('receivedBytes'),
    perSecond('sentBytes'),
    perSecond('readBytes'),
    perSecond('writtenBytes'),
  ]
}
