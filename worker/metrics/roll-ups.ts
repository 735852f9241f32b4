import { metricSteps } from '../../platform/model/metrics.ts'
import { rollUpEdgeUse, sweepEdgeUse } from '../../platform/worker/edge-use.ts'
import { newestPoint, rollUpMetrics, sweepMetrics } from '../../platform/worker/metrics.ts'
import type { Host } from '../host.ts'
import type { EdgeCounter } from './edge-use.ts'

const [finest, ...coarser] = metricSteps
/** Each step with the finer one that it is made of. */
const steps = coarser.map((step, index) => ({ ...step, finer: metricSteps[index] ?? finest }))
/** A point is written a moment after its time is over. */
const settledMs = 5_000
/** As long as what the edge noted may come late: nobody counts what is older. */
const lateMs = finest.keptSeconds * 1_000
/** In one statement, so that none takes long: a worker that starts may have a month to make up for. */
const pointsAtOnce = 60

/**
 * Makes minutes out of ten seconds, ten minutes out of minutes and hours out of those; after a start, of all that is
 * there and was not yet. What the edge noted while no worker read it is older than what was done already: from there on
 * it is done again.
 */
export function createRollUps(
  host: Pick<Host, 'id' | 'platform'>,
  edge?: Pick<EdgeCounter, 'flush' | 'oldestWritten'>,
): () => Promise<void> {
  const doneTo = new Map<number, number>()

  /** Where to begin after a start: what an earlier worker made is not made again, but for what may have come late. */
  async function begin({ seconds, finer }: (typeof steps)[number], now: number): Promise<number> {
    const stepMs = seconds * 1_000
    const oldest = Math.ceil((now - finer.keptSeconds * 1_000) / stepMs) * stepMs
    const newest = await newestPoint(host.platform, host.id, seconds)
    if (newest === null) return oldest
    return Math.max(oldest, Math.floor((newest.getTime() - lateMs) / stepMs) * stepMs)
  }

  return async () => {
    await edge?.flush()
    const now = Date.now()
    const late = edge?.oldestWritten() ?? now
    for (const [seconds, done] of doneTo) {
      const stepMs = seconds * 1_000
      doneTo.set(seconds, Math.min(done, Math.floor(late / stepMs) * stepMs))
    }
    for (const step of steps) {
      const { seconds, finer } = step
      const stepMs = seconds * 1_000
      const end = Math.floor((now - settledMs) / stepMs) * stepMs
      let from = doneTo.get(seconds) ?? (await begin(step, now))
      while (from < end) {
        const to = Math.min(end, from + pointsAtOnce * stepMs)
        const part = { finer: finer.seconds, seconds, from: new Date(from), to: new Date(to) }
        // In this order, since `begin` looks where the second one is.
        await rollUpEdgeUse(host.platform, host.id, part)
        await rollUpMetrics(host.platform, host.id, part)
        doneTo.set(seconds, to)
        from = to
      }
    }
    await sweepMetrics(host.platform, now)
    await sweepEdgeUse(host.platform, now)
  }
}
