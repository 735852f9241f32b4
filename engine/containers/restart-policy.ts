import type { ContainerSpec } from './containers.ts'

const firstDelayMs = 100
const longestDelayMs = 60_000
/** A run of this length counts as healthy: the next failure begins with the shortest delay again. */
export const healthyRunMs = 10_000

/** Whether a container that ended by itself starts anew. A host that went down under it counts as a failure. */
export function shouldRestart(
  { restart, maxRestarts }: Pick<ContainerSpec, 'restart' | 'maxRestarts'>,
  exitCode: number | null,
  failures: number,
): boolean {
  switch (restart) {
    case 'always':
      return true
    case 'on-failure':
      return exitCode !== 0 && failures <= (maxRestarts ?? Number.POSITIVE_INFINITY)
    case 'no':
    case undefined:
      return false
  }
}

/** Ends in a row after one more, given those before it and how long the run was. */
export function failuresAfter(before: number, ranMs: number): number {
  return ranMs >= healthyRunMs ? 1 : before + 1
}

/** Milliseconds from the last of so many ends in a row to the next start. */
export function restartDelayMs(failures: number): number {
  return Math.min(firstDelayMs * 2 ** Math.max(0, failures - 1), longestDelayMs)
}
