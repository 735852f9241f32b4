/** What a host, or the apps of a team together, used. Pure. */
import { type HostMetric, type HostMetrics, hostMetrics, type TeamMetrics } from '@/platform/model/metrics.ts'
import { axisOf, type Graph, lineOf, type Unit } from './graph.ts'

export type HostGraphName = 'cpu' | 'memory' | 'hostDisk' | 'hostContainers' | 'load'
export type TeamGraphName = 'cpu' | 'memory' | 'requestRate' | 'traffic'

interface HostGraph {
  name: HostGraphName
  metric: HostMetric
  limit: HostMetric | null
  unit: Unit
}

const hostGraphKinds: readonly HostGraph[] = [
  { name: 'cpu', metric: 'cpuMillis', limit: 'cpuLimitMillis', unit: 'cores' },
  { name: 'memory', metric: 'memoryBytes', limit: 'memoryLimitBytes', unit: 'bytes' },
  { name: 'hostDisk', metric: 'diskBytes', limit: 'diskLimitBytes', unit: 'bytes' },
  { name: 'hostContainers', metric: 'containers', limit: null, unit: 'count' },
  { name: 'load', metric: 'load', limit: null, unit: 'count' },
]

export function hostGraphs({ points, ...range }: HostMetrics): Graph[] {
  const { times, placeOf } = axisOf(range)
  return hostGraphKinds.map(({ name, metric, limit, unit }) => {
    const scale = unit === 'cores' ? 0.001 : 1
    const of = (numbers: (number | null)[], which: HostMetric) => {
      const value = numbers[hostMetrics.indexOf(which)] ?? null
      return value === null ? null : value * scale
    }
    const values: (number | null)[] = times.map(() => null)
    const peaks: number[] = []
    const limits: number[] = []
    for (const { at, means, peaks: highest } of points) {
      const place = placeOf(at)
      if (place !== null) values[place] = of(means, metric)
      peaks.push(...[of(highest, metric)].filter((value) => value !== null))
      if (limit !== null) limits.push(...[of(means, limit)].filter((value) => value !== null))
    }
    const peak = peaks.length === 0 ? null : Math.max(...peaks)
    return {
      ...{ name, unit, times },
      lines: [lineOf(name, values, { peak })],
      limit: limits.length === 0 ? null : Math.max(...limits),
    }
  })
}

export function teamGraphs({ points, completeTo, ...range }: TeamMetrics): Graph[] {
  const { times, placeOf } = axisOf(range)
  const complete = Date.parse(completeTo) / 1_000
  const byPlace = new Map(points.map((point) => [placeOf(point.at), point]))
  type Point = (typeof points)[number]
  const measured = (of: (point: Point) => number | null) =>
    times.map((_, place) => {
      const point = byPlace.get(place)
      return point === undefined ? null : of(point)
    })
  const perSecond = (of: (point: Point) => number) =>
    times.map((time, place) => {
      const point = byPlace.get(place)
      if (point !== undefined) return of(point) / range.step
      return time + range.step <= complete ? 0 : null
    })
  const cpu = measured(({ cpuMillis }) => (cpuMillis === null ? null : cpuMillis / 1_000))
  return [
    { ...{ name: 'cpu', unit: 'cores', times, limit: null }, lines: [lineOf('all', cpu)] },
    {
      ...{ name: 'memory', unit: 'bytes', times, limit: null },
      lines: [
        lineOf(
          'all',
          measured(({ memoryBytes }) => memoryBytes),
        ),
      ],
    },
    {
      ...{ name: 'requestRate', unit: 'perSecond', times, limit: null },
      lines: [
        lineOf(
          'all',
          perSecond(({ requests }) => requests),
        ),
        lineOf(
          '5xx',
          perSecond(({ status5xx }) => status5xx),
        ),
      ],
    },
    {
      ...{ name: 'traffic', unit: 'bytesPerSecond', times, limit: null },
      lines: [
        lineOf(
          'in',
          perSecond(({ bytesIn }) => bytesIn),
        ),
        lineOf(
          'out',
          perSecond(({ bytesOut }) => bytesOut),
        ),
      ],
    },
  ]
}
