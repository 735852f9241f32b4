/** The worker's sampler, in the process of the engine whose containers it measures, as in the worker. */
import type { Engine } from '../../engine/index.ts'
import { loadConfig } from '../../platform/config.ts'
import { openPlatform } from '../../platform/open.ts'
import { createSampler } from '../../worker/metrics/sampler.ts'

/** Answers with a round: all is measured and written down. It answers with the seconds of the processor that this took. */
export async function openSampling(
  engine: Engine,
  environment: Record<string, string>,
): Promise<() => Promise<number>> {
  const platform = await openPlatform(loadConfig(environment))
  const sample = createSampler({ id: platform.config.hostId, engine, platform })
  return async () => {
    const before = process.cpuUsage()
    await sample()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  }
}
