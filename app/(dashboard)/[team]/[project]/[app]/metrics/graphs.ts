/** What is drawn, out of what was measured. Pure. */
import { axisOf, type Graph, type Line, lineOf, type Unit } from '@/app/_charts/graph.ts'
import { type AppMetrics, type ContainerMetric, containerMetrics } from '@/platform/model/metrics.ts'

export type GraphName = 'cpu' | 'memory' | 'network' | 'disk' | 'processes'

export interface GraphKind {
  name: GraphName
  /** Added up, point by point. */
  metrics: readonly ContainerMetric[]
  limit: ContainerMetric | null
  unit: Unit
}

export const graphKinds: readonly GraphKind[] = [
  { name: 'cpu', metrics: ['cpuMillis'], limit: 'cpuLimitMillis', unit: 'cores' },
  { name: 'memory', metrics: ['memoryBytes'], limit: 'memoryLimitBytes', unit: 'bytes' },
  { name: 'network', metrics: ['receivedBytes', 'sentBytes'], limit: null, unit: 'bytesPerSecond' },
  { name: 'disk', metrics: ['readBytes', 'writtenBytes'], limit: null, unit: 'bytesPerSecond' },
  { name: 'processes', metrics: ['pids'], limit: 'pidsLimit', unit: 'count' },
]

/** A line for each replica, such as `web.1`, counted from 1 as elsewhere on the app's pages: containers that came one after the other are one. */
export function graphOf(kind: GraphKind, { series, ...range }: AppMetrics): Graph {
  const { times, placeOf } = axisOf(range)
  const places = kind.metrics.map((metric) => containerMetrics.indexOf(metric))
  const limitPlace = kind.limit === null ? -1 : containerMetrics.indexOf(kind.limit)
  const scale = kind.unit === 'cores' ? 0.001 : 1
  const found = new Map<string, Pick<Line, 'values' | 'peak'>>()
  let limit: number | null = null
  for (const { process, replica, points } of series) {
    const name = `${process}.${replica + 1}`
    const line = found.get(name) ?? { values: Array<number | null>(times.length).fill(null), peak: null }
    found.set(name, line)
    for (const { at, means, peaks } of points) {
      const place = placeOf(at)
      if (place !== null) line.values[place] = sum(means, places, scale)
      const peak = sum(peaks, places, scale)
      if (peak !== null && peak > (line.peak ?? -1)) line.peak = peak
      const bound = limitPlace < 0 ? null : (means[limitPlace] ?? null)
      if (bound !== null) limit = Math.max(limit ?? 0, bound * scale)
    }
  }
  const lines = [...found].map(([name, { values, peak }]) => lineOf(name, values, { peak }))
  return { name: kind.name, unit: kind.unit, times, lines, limit }
}

function sum(values: readonly (number | null)[], places: number[], scale: number): number | null {
  const known = places.flatMap((place) => values[place] ?? [])
  return known.length === 0 ? null : known.reduce((all, value) => all + value, 0) * scale
}
