/** What was used of processors between two looks. */

export interface Reading {
  atMs: number
  cpuNs: number
}

/** Processor time of one in a millisecond. */
const nsPerMs = 1_000_000

/** The reading of this moment, of nanoseconds that all processors together were used for. */
export function readingOf({ cpuNs }: { cpuNs: number }): Reading {
  return { atMs: performance.now(), cpuNs }
}

/** How many processors were kept busy between two readings. Pure. */
export function processorsUsed(before: Reading, now: Reading): number {
  return (now.cpuNs - before.cpuNs) / (now.atMs - before.atMs) / nsPerMs
}
