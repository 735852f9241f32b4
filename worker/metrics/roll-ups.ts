import { rollUpEdgeUse, sweepEdgeUse } from '../../platform/worker/edge-use.ts'
import { rollUpMetrics, sweepMetrics } from '../../platform/worker/metrics.ts'
import type { Host } from '../host.ts'
import type { EdgeCounter } from './edge-use.ts'

const steps = [60, 600] as const
/** A point is written a moment after its time is over. */
const settledMs = 5_000

/**
 * Makes minutes out of ten seconds, and ten minutes out of minutes; after a start, of all that is there. What the edge
 * noted while no worker read it is older than what was done already: from there on it is done again.
 */
export function createRollUps(
  host: Pick<Host, 'id' | 'platform'>,
  edge?: Pick<EdgeCounter, 'flush' | 'oldestWritten'>,
): () => Promise<void> {
  const doneTo = new Map<number, number>()
  return async () => {
    await edge?.flush()
    const now = Date.now()
    const late = edge?.oldestWritten() ?? now
    for (const [seconds, done] of doneTo) {
      const stepMs = seconds * 1_000
      doneTo.set(seconds, Math.min(done, Math.floor(late / stepMs) * stepMs))
    }
    for (const seconds of steps) {
      const stepMs = seconds * 1_000
      // The finer step is kept for two hours, or two days.
      const oldest = now - (seconds === 60 ? 2 * 3_600_000 : 2 * 86_400_000)
      const from = doneTo.get(seconds) ?? Math.ceil(oldest / stepMs) * stepMs
      const to = Math.floor((now - settledMs) / stepMs) * stepMs
      if (to <= from) continue
      const span = { seconds, from: new Date(from), to: new Date(to) }
      await rollUpMetrics(host.platform, host.id, span)
      await rollUpEdgeUse(host.platform, host.id, span)
      doneTo.set(seconds, to)
    }
    await sweepMetrics(host.platform, now)
    await sweepEdgeUse(host.platform, now)
  }
}
