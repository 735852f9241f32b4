/**
 * Health checks on timers of our own. What was found is in the container's row, so another engine goes on where this
 * one ended.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ImageConfig } from '../images/images.ts'
import type { ContainerExec, ContainerSpec, Health, HealthCheck } from './containers.ts'
import type { Core } from './core.ts'
import { checkOnce } from './health-test.ts'
import { canExec } from './status.ts'

const defaults = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 }
const keptChecks = 5
/** One that starts is looked at more often than one that runs. */
const startIntervalMs = 1_000

export interface HealthChecks {
  firstOf(spec: ContainerSpec): Health | null
  /** Begins to check one that runs; nothing if it has no check. */
  watch(id: string): void
  forget(id: string): void
  close(): Promise<void>
}

export function createHealthChecks(core: Core, execs: ContainerExec): HealthChecks {
  const { rows, state, view, change, log } = core
  const watched = new Map<string, AbortController>()
  const loops = new Set<Promise<void>>()

  async function watch(id: string, check: HealthCheck, signal: AbortSignal): Promise<void> {
    const settings = { ...defaults, ...check }
    for (;;) {
      const isStarting = rows.find(id)?.health?.status === 'starting'
      const waitMs = isStarting ? Math.min(startIntervalMs, settings.intervalMs) : settings.intervalMs
      await sleep(waitMs, undefined, { signal, ref: false })
      const row = rows.find(id)
      if (row === null || !row.health) return
      // Who is held still can't answer, and that is no fault of its.
      if (!canExec(row.status)) continue
      const { address } = view(row)
      const limit = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)])
      const result = await checkOnce(check.test, { address, id, execs, signal: limit, settings })
      signal.throwIfAborted()
      const now = rows.find(id)
      if (!now?.health) return
      // Held still meanwhile.
      if (!canExec(now.status)) continue
      const isEarly = Date.now() - Date.parse(now.startedAt ?? '') < settings.startPeriodMs
      const health = nextHealth(
        now.health,
        { at: new Date().toISOString(), ...result },
        settings.retries,
        isEarly,
      )
      if (health.status === now.health.status) state.lazily(() => rows.update(id, { health }))
      else change('health', id, () => rows.update(id, { health }))
      await state.onDisk()
    }
  }

  function forget(id: string): void {
    watched.get(id)?.abort()
    watched.delete(id)
  }

  return {
    firstOf: (spec) => (checkOf(spec) ? { status: 'starting', failures: 0, checks: [] } : null),
    watch(id) {
      forget(id)
      const row = rows.find(id)
      const check = row && checkOf(row.spec)
      if (!check) return
      const stop = new AbortController()
      watched.set(id, stop)
      const loop = watch(id, check, stop.signal).catch((error) => {
        if (!stop.signal.aborted)
          log('warn', `the health of container ${id} is not checked any more`, { error })
      })
      loops.add(loop)
      loop.finally(() => loops.delete(loop))
    },
    forget,
    async close() {
      for (const id of [...watched.keys()]) forget(id)
      await Promise.all(loops)
    },
  }
}

function checkOf({ healthCheck = 'none' }: ContainerSpec): HealthCheck | null {
  return healthCheck === 'none' ? null : healthCheck
}

/** The image's own, as a container's. */
export function imagesCheck({ healthCheck }: ImageConfig): HealthCheck | undefined {
  if (healthCheck === undefined) return undefined
  const { command, ...times } = healthCheck
  return { test: { kind: 'command', command }, ...times }
}

/** Pure. Failures while it starts are kept to be seen, and don't count. */
export function nextHealth(
  before: Health,
  check: Health['checks'][number],
  retries: number,
  isEarly: boolean,
): Health {
  const checks = [...before.checks, check].slice(-keptChecks)
  if (check.isGood) return { status: 'healthy', failures: 0, checks }
  if (isEarly && before.status === 'starting') return { ...before, checks }
  const failures = before.failures + 1
  return { status: failures >= retries ? 'unhealthy' : before.status, failures, checks }
}
