/**
 * What the edge counts of each domain of an app. A point has the counts of `edgeCounts`, in their order, and after them
 * how many answers began within each of `latencyBounds`; so points add up, number by number, to those of a longer time,
 * of all domains, or of all apps, and percentiles of the sum are true.
 */
export const edgeCounts = [
  /** Those that nobody waited for until the answer began have no status. */
  'requests',
  'status1xx',
  'status2xx',
  'status3xx',
  'status4xx',
  'status5xx',
  /** From visitors, heads of requests included. */
  'bytesIn',
  /** To visitors, heads of answers included. */
  'bytesOut',
  /** All latencies together. */
  'latencyMs',
] as const

export type EdgeCount = (typeof edgeCounts)[number]

/**
 * Upper bounds in milliseconds, ten to each power of ten: a percentile is known to a quarter of itself. What took longer
 * counts after the last. R10 of ISO 3, in whole milliseconds.
 */
export const latencyBounds: readonly number[] = [
  ...[1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 63, 80],
  ...[100, 125, 160, 200, 250, 315, 400, 500, 630, 800],
  ...[1_000, 1_250, 1_600, 2_000, 2_500, 3_150, 4_000, 5_000, 6_300, 8_000],
  ...[10_000, 12_500, 16_000, 20_000, 25_000, 31_500, 40_000, 50_000, 63_000, 80_000],
  ...[100_000, 125_000, 160_000, 200_000, 250_000, 315_000, 400_000, 500_000, 630_000],
]

/** Place of a latency among the counts of a point. */
export function latencyPlace(ms: number): number {
  const place = latencyBounds.findIndex((bound) => ms <= bound)
  return edgeCounts.length + (place < 0 ? latencyBounds.length : place)
}

export function countOf(counts: readonly number[], name: EdgeCount): number {
  return counts[edgeCounts.indexOf(name)] ?? 0
}

/** Adds `more` to `counts`, which becomes as long as it must. */
export function addCounts(counts: number[], more: readonly number[]): void {
  for (const [place, count] of more.entries()) counts[place] = (counts[place] ?? 0) + count
  for (let place = 0; place < counts.length; place++) counts[place] ??= 0
}

/** The latency that this share (0–1) of the answers kept to, in milliseconds; null where none was measured. */
export function latencyPercentile(counts: readonly number[], share: number): number | null {
  const answers = counts.slice(edgeCounts.length)
  const rank = answers.reduce((sum, count) => sum + count, 0) * share
  if (rank <= 0) return null
  let below = 0
  for (const [place, count] of answers.entries()) {
    const upper = latencyBounds[place]
    const lower = latencyBounds[place - 1] ?? 0
    if (upper === undefined) return lower
    // Within a bucket, as if they lay evenly in it.
    if (count > 0 && below + count >= rank) return lower + ((upper - lower) * (rank - below)) / count
    below += count
  }
  return null
}
