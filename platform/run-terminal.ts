import { longestRunMs } from './model/runs.ts'
import type { Platform } from './open.ts'

/**
 * The terminal of a run is had once, for its command begins once: by whoever opens it, or by the host, which gives up
 * when nobody came. False when it was had before.
 */
export async function takeRunTerminal(platform: Platform, runId: string): Promise<boolean> {
  const first = await platform.redis.set(`berth:run-terminal:${runId}`, '1', 'PX', longestRunMs, 'NX')
  return first !== null
}
