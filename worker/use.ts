import type { Container } from '../engine/index.ts'
import { reportUse } from '../platform/worker/container-use.ts'
import type { Host } from './host.ts'

/** So many at a time: what is measured of a thousand containers must not cost what they are there for. */
const atOnce = 20

/** Measures what containers use, some at each call and all of them in turn. */
export function createUseReports(host: Host): () => Promise<void> {
  const last = new Map<string, { cpuNs: number; atMs: number }>()
  let turn = 0

  async function measure({ id }: Container): Promise<void> {
    const { cpuNs, memoryBytes } = await host.engine.containers.stats(id)
    const now = { cpuNs: Number(cpuNs), atMs: Date.now() }
    const before = last.get(id)
    last.set(id, now)
    if (before === undefined || now.atMs === before.atMs) return
    const cpuMillis = (now.cpuNs - before.cpuNs) / 1_000 / (now.atMs - before.atMs)
    await reportUse(host.platform, id, { memoryBytes, cpuMillis: Math.max(0, Math.round(cpuMillis)) })
  }

  return async () => {
    const running = (await host.engine.containers.list()).filter(({ status }) => status === 'running')
    for (const id of last.keys()) if (!running.some((each) => each.id === id)) last.delete(id)
    if (turn >= running.length) turn = 0
    const some = running.slice(turn, turn + atOnce)
    turn += atOnce
    // One that ends at this moment can't be measured.
    await Promise.allSettled(some.map(measure))
  }
}
