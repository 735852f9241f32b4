/** What is drawn, out of what was measured. Pure. */
import { type AppMetrics, type ContainerMetric, containerMetrics } from '@/platform/model/metrics.ts'

export type GraphName = 'cpu' | 'memory' | 'network' | 'disk' | 'processes'

export interface GraphKind {
  name: GraphName
  /** Added up, point by point. */
  metrics: readonly ContainerMetric[]
  limit: ContainerMetric | null
  unit: 'cores' | 'bytes' | 'bytesPerSecond' | 'count'
}

export const graphKinds: readonly GraphKind[] = [
  { name: 'cpu', metrics: ['cpuMillis'], limit: 'cpuLimitMillis', unit: 'cores' },
  { name: 'memory', metrics: ['memoryBytes'], limit: 'memoryLimitBytes', unit: 'bytes' },
  { name: 'network', metrics: ['receivedBytes', 'sentBytes'], limit: null, unit: 'bytesPerSecond' },
  { name: 'disk', metrics: ['readBytes', 'writtenBytes'], limit: null, unit: 'bytesPerSecond' },
  { name: 'processes', metrics: ['pids'], limit: 'pidsLimit', unit: 'count' },
]

export interface Line {
  /** Such as `web.1`, counted from 1 as elsewhere on the app's pages; containers that came one after the other are one line. */
  name: string
  /** One for each of the graph's times. */
  values: (number | null)[]
  last: number | null
  mean: number | null
  peak: number | null
}

export interface Graph {
  kind: GraphKind
  /** Seconds since 1970. */
  times: number[]
  lines: Line[]
  /** The highest there was. */
  limit: number | null
}

export function graphOf(kind: GraphKind, { series, from, to, step }: AppMetrics): Graph {
  const stepMs = step * 1_000
  const first = Math.ceil(Date.parse(from) / stepMs)
  const count = Math.max(0, Math.floor((Date.parse(to) - 1) / stepMs) - first + 1)
  const places = kind.metrics.map((metric) => containerMetrics.indexOf(metric))
  const limitPlace = kind.limit === null ? -1 : containerMetrics.indexOf(kind.limit)
  const scale = kind.unit === 'cores' ? 0.001 : 1
  const lines = new Map<string, Line>()
  let limit: number | null = null
  for (const { process, replica, points } of series) {
    const name = `${process}.${replica + 1}`
    const line: Line = lines.get(name) ?? {
      ...{ name, values: Array<number | null>(count).fill(null) },
      ...{ last: null, mean: null, peak: null },
    }
    lines.set(name, line)
    for (const { at, means, peaks } of points) {
      const index = Math.round(Date.parse(at) / stepMs) - first
      const value = sum(means, places, scale)
      if (index >= 0 && index < count) line.values[index] = value
      const peak = sum(peaks, places, scale)
      if (peak !== null && peak > (line.peak ?? -1)) line.peak = peak
      const bound = limitPlace < 0 ? null : (means[limitPlace] ?? null)
      if (bound !== null) limit = Math.max(limit ?? 0, bound * scale)
    }
  }
  for (const line of lines.values()) {
    const known = line.values.filter((value) => value !== null)
    line.last = known.at(-1) ?? null
    line.mean = known.length === 0 ? null : known.reduce((all, value) => all + value, 0) / known.length
  }
  const times = Array.from({ length: count }, (_, index) => (first + index) * step)
  return { kind, times, lines: [...lines.values()], limit }
}

function sum(values: readonly (number | null)[], places: number[], scale: number): number | null {
  const known = places.flatMap((place) => values[place] ?? [])
  return known.length === 0 ? null : known.reduce((all, value) => all + value, 0) * scale
}
