import { setTimeout as sleep } from 'node:timers/promises'
import { emitAppEvent } from '../../platform/timeline.ts'
import { moveTraffic } from '../../platform/worker/containers.ts'
import { loadDeployment } from '../../platform/worker/deployments.ts'
import { find } from '../containers.ts'
import type { Host } from '../host.ts'
import { checkedOf, targetOf } from './check.ts'
import { probe } from './probe.ts'

/** One container that serves, as reconcile knows it. */
export interface Serving {
  id: string
  appId: string
  deploymentId: string
  process: string
  replica: number
  port: number
}

/**
 * Goes on asking what serves, as the app's health check says. What does not answer gets no new requests until it does
 * again; when none answers, all get them, for an app that answers badly is better than none.
 */
export interface HealthWatch {
  /** These and no others. Call it as often as reconcile looks. */
  watch(serving: Serving[]): void
  settled(): Promise<void>
}

/** What is live is asked less often than what is being checked: it has proved itself, and there may be hundreds. */
const atLeastMs = 1_000
/** Each of so many: together they are not asked more than a hundred times a second. */
const apartMs = 10

export function createHealthWatch(host: Host, stopping: AbortSignal): HealthWatch {
  const watching = new Map<string, { key: string; over: AbortController; done: Promise<void> }>()

  async function follow(serving: Serving, signal: AbortSignal): Promise<void> {
    const work = await loadDeployment(host.platform, serving.deploymentId)
    const container = await find(host, serving.id)
    if (work === null || container === null) return
    const checked = checkedOf(host, work, container, serving.port)
    const { intervalMs, timeoutMs, retries } = work.settings.healthCheck
    const target = targetOf(checked, serving.port)
    let bad = 0
    let lostAt: number | null = null
    let isLost = work.containers.find(({ id }) => id === serving.id)?.outOfTraffic ?? false
    while (!signal.aborted) {
      await sleep(Math.max(atLeastMs, intervalMs, watching.size * apartMs), undefined, { signal })
      const result = await probe(target, timeoutMs, signal)
      bad = result.ok ? 0 : bad + 1
      if (result.ok === isLost && (result.ok || bad > retries)) {
        isLost = !result.ok
        const { appId, deploymentId, process, replica } = serving
        await moveTraffic(
          host.platform,
          isLost ? { to: [], from: [serving.id] } : { to: [serving.id], from: [] },
        )
        await host.edge.sync()
        const of = { containerId: serving.id, deploymentId, process, replica }
        await emitAppEvent(
          host.platform,
          appId,
          result.ok
            ? { kind: 'health.recovered', ...of, afterMs: lostAt === null ? null : Date.now() - lostAt }
            : { kind: 'health.failing', ...of, reason: result.reason },
        )
        lostAt = result.ok ? null : Date.now()
      }
    }
  }

  return {
    watch(serving) {
      const wanted = new Map(serving.map((each) => [each.id, each]))
      for (const [id, { over, key }] of watching)
        if (keyOf(wanted.get(id)) !== key) {
          over.abort()
          watching.delete(id)
        }
      for (const [id, each] of wanted) {
        if (watching.has(id)) continue
        const over = new AbortController()
        const signal = AbortSignal.any([over.signal, stopping])
        const entry = { key: keyOf(each), over, done: Promise.resolve() }
        watching.set(id, entry)
        entry.done = follow(each, signal)
          .catch((error) => {
            if (!signal.aborted)
              host.log.warn({ err: error, container: id }, 'it could not be asked how it is')
          })
          .finally(() => {
            if (watching.get(id) === entry) watching.delete(id)
          })
      }
    },
    async settled() {
      await Promise.all([...watching.values()].map(({ done }) => done))
    },
  }
}

function keyOf(serving: Serving | undefined): string {
  return serving === undefined ? '' : `${serving.deploymentId} ${serving.port}`
}
