import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { type Container, type Containers, isEngineError } from '../../engine/index.ts'
import type { StatsRow } from '../../platform/model/engine-door.ts'
import type { Host } from '../host.ts'
import { stream } from './answers.ts'

const everyMs = 1_000

/** All that run, or those that are named, or with `all` those that don't run too, once a second: one line for each time. */
export function statsRoutes(host: Host): Hono {
  const { containers } = host.engine
  const routes = new Hono()
  routes.get('/', async (c) => {
    const names = c.req.queries('name') ?? []
    const isAll = c.req.query('all') === 'true'
    for (const name of names) await containers.inspect(name)
    return stream(async function* (signal) {
      while (!signal.aborted) {
        yield await sample(containers, names, isAll)
        await sleep(everyMs, undefined, { signal }).catch(() => undefined)
      }
    })
  })
  return routes
}

async function sample(containers: Containers, names: string[], isAll: boolean): Promise<StatsRow[]> {
  const all = (await containers.list()).filter(
    ({ id, name }) => names.length === 0 || names.includes(id) || names.includes(name),
  )
  const isRunning = ({ status }: Container) => status === 'running' || status === 'paused'
  const asked = isAll ? all : all.filter(isRunning)
  const rows = await Promise.all(
    asked.map(async (container) => {
      const row = isRunning(container) ? await measure(containers, container) : null
      return row ?? (isAll ? await nothing(containers, container) : null)
    }),
  )
  return rows.flatMap((row) => row ?? [])
}

/** Null for one that has ended at this moment. */
async function measure(containers: Containers, { id, name }: Container): Promise<StatsRow | null> {
  const stats = await containers.stats(id).catch(orEnded)
  if (stats === null) return null
  const { at, cpuNs, memoryBytes, pids, receivedBytes, sentBytes, readBytes, writtenBytes, limits } = stats
  return { id, name, at, cpuNs, memoryBytes, pids, receivedBytes, sentBytes, readBytes, writtenBytes, limits }
}

/** What one that does not run uses. Null when it is gone. */
async function nothing(containers: Containers, { id, name }: Container): Promise<StatsRow | null> {
  const container = await containers.inspect(id).catch(orEnded)
  if (container === null) return null
  const { memoryBytes, cpuMillis, pids } = container.spec.limits
  return {
    ...{ id, name, at: new Date().toISOString(), cpuNs: 0, memoryBytes: 0, pids: 0 },
    ...{ receivedBytes: 0, sentBytes: 0, readBytes: 0, writtenBytes: 0 },
    limits: { memoryBytes, cpuMillis, pids },
  }
}

function orEnded(error: unknown): null {
  if (isEngineError(error, 'not-found') || isEngineError(error, 'failed-precondition')) return null
  throw error
}
