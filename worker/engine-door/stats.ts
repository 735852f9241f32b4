import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { type Container, type Containers, isEngineError } from '../../engine/index.ts'
import type { StatsRow } from '../../platform/model/engine-door.ts'
import type { Host } from '../host.ts'
import { stream } from './answers.ts'

const everyMs = 1_000

/** All that run, or those that are named, once a second: one line for each time. */
export function statsRoutes(host: Host): Hono {
  const { containers } = host.engine
  const routes = new Hono()
  routes.get('/', async (c) => {
    const names = c.req.queries('name') ?? []
    for (const name of names) await containers.inspect(name)
    return stream(async function* (signal) {
      while (!signal.aborted) {
        yield await sample(containers, names)
        await sleep(everyMs, undefined, { signal }).catch(() => undefined)
      }
    })
  })
  return routes
}

async function sample(containers: Containers, names: string[]): Promise<StatsRow[]> {
  const all = (await containers.list()).filter(
    ({ id, name }) => names.length === 0 || names.includes(id) || names.includes(name),
  )
  const running = all.filter(({ status }) => status === 'running' || status === 'paused')
  const rows = await Promise.all(running.map((container) => measure(containers, container)))
  return rows.flatMap((row) => row ?? [])
}

/** Null for one that has ended at this moment. */
async function measure(containers: Containers, { id, name }: Container): Promise<StatsRow | null> {
  try {
    const stats = await containers.stats(id)
    const { at, cpuNs, memoryBytes, pids, receivedBytes, sentBytes, readBytes, writtenBytes, limits } = stats
    return {
      id,
      name,
      at,
      cpuNs,
      memoryBytes,
      pids,
      receivedBytes,
      sentBytes,
      readBytes,
      writtenBytes,
      limits,
    }
  } catch (error) {
    if (isEngineError(error, 'not-found') || isEngineError(error, 'failed-precondition')) return null
    throw error
  }
}
