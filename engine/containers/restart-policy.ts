import type { ContainerSpec } from './containers.ts'

const firstDelayMs = 100
const longestDelayMs = 60_000
/** A run of this length counts as healthy: the next failure begins with the shortest delay again. */
export const healthyRunMs = 10_000

/** Whether a container that ended by itself starts anew. A host that went down under it counts as a failure. */
export function shouldRestart(policy: ContainerSpec['restart'], exitCode: number | null): boolean {
  switch (policy) {
    case 'always':
      return true
    case 'on-failure':
      return exitCode !== 0
    case 'no':
    case undefined:
      return false
  }
}

/** Milliseconds to wait, given the delay before (0 if there was none) and how long the last run was. */
export function nextDelayMs(previousDelayMs: number, ranMs: number): number {
  if (previousDelayMs === 0 || ranMs >= healthyRunMs) return firstDelayMs
  return Math.min(previousDelayMs * 2, longestDelayMs)
}
