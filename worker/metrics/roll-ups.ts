import { rollUpMetrics, sweepMetrics } from '../../platform/worker/metrics.ts'
import type { Host } from '../host.ts'

const steps = [60, 600] as const
/** A point is written a moment after its time is over. */
const settledMs = 5_000

/** Makes minutes out of ten seconds, and ten minutes out of minutes; after a start, of all that is there. */
export function createRollUps(host: Pick<Host, 'id' | 'platform'>): () => Promise<void> {
  const doneTo = new Map<number, number>()
  return async () => {
    const now = Date.now()
    for (const seconds of steps) {
      const stepMs = seconds * 1_000
      // The finer step is kept for two hours, or two days.
      const oldest = now - (seconds === 60 ? 2 * 3_600_000 : 2 * 86_400_000)
      const from = doneTo.get(seconds) ?? Math.ceil(oldest / stepMs) * stepMs
      const to = Math.floor((now - settledMs) / stepMs) * stepMs
      if (to <= from) continue
      await rollUpMetrics(host.platform, host.id, { seconds, from: new Date(from), to: new Date(to) })
      doneTo.set(seconds, to)
    }
    await sweepMetrics(host.platform, now)
  }
}
