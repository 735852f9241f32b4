/** A container's port is recorded as long as what comes from outside may be led to it. */
import { reportContainer } from '../platform/worker/containers.ts'
import { all } from './all.ts'
import { exitReport } from './containers.ts'
import type { Host } from './host.ts'

/** It answers at this port. False when it was told to end meanwhile: nobody is to be led to it any more. */
export function joinTraffic(host: Host, id: string, port: number): Promise<boolean> {
  return host.locks.run(portKey(id), async () => {
    if (host.ending.has(id)) return false
    await reportContainer(host.platform, id, { port })
    return true
  })
}

/** They are about to be told to end. The edge makes it true at its next sync, and no check undoes it. */
export async function leaveTraffic(host: Host, ids: string[]): Promise<void> {
  await Promise.all(
    ids.map((id) =>
      host.locks.run(portKey(id), async () => {
        host.ending.add(id)
        await reportContainer(host.platform, id, { port: null })
      }),
    ),
  )
}

const quickAnswerMs = 1_000

export interface StopOptions {
  /** From the stop signal on. */
  graceMs: number
  signal?: AbortSignal
}

/**
 * Containers that left traffic are stopped, and stay. What is quick to answer gets its answer first; what is slow may take
 * as long as the grace lets it.
 */
export async function stopAfterTraffic(host: Host, ids: string[], options: StopOptions): Promise<void> {
  const { graceMs, signal } = options
  await host.edge.drained(ids, { limitMs: Math.min(quickAnswerMs, graceMs), signal })
  await all(
    ids.map(async (id) =>
      reportContainer(host.platform, id, exitReport(await host.engine.containers.stop(id, options))),
    ),
  )
}

/** So that an answer which was heard before is not written down after. */
function portKey(containerId: string): string {
  return `port:${containerId}`
}
