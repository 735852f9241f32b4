/** What the edge counted, as graphs. Pure. */
import type { EdgeMetrics, EdgeNumbers } from '@/platform/model/metrics.ts'
import { axisOf, type Graph, lineOf } from './graph.ts'

export type EdgeGraphName = 'requests' | 'latency' | 'traffic' | 'open'
/** Names of lines that want words; the others are `2xx`, `p95` in every language. */
export type EdgeLine = 'left' | 'in' | 'out' | 'open'

type Point = EdgeMetrics['points'][number]

/** Requests by the class of their answer, latency, bytes, and what is under way. Where nothing was counted it is zero. */
export function edgeGraphs({ points, total, completeTo, ...range }: EdgeMetrics): Graph[] {
  const { times, placeOf } = axisOf(range)
  const complete = Date.parse(completeTo) / 1_000
  const byPlace = new Map<number, Point>()
  for (const point of points) {
    const place = placeOf(point.at)
    if (place !== null) byPlace.set(place, point)
  }
  const counted = (of: (point: EdgeNumbers) => number) =>
    times.map((time, place) => {
      const point = byPlace.get(place)
      if (point !== undefined) return of(point)
      return time + range.step <= complete ? 0 : null
    })
  const perSecond = (name: string, of: (point: EdgeNumbers) => number) =>
    lineOf(
      name,
      counted((point) => of(point) / range.step),
    )
  const measured = (name: string, of: (point: EdgeNumbers) => number | null) =>
    lineOf(
      name,
      times.map((_, place) => {
        const point = byPlace.get(place)
        return point === undefined ? null : of(point)
      }),
      // Percentiles have no mean: this is that of all answers.
      { mean: of(total) },
    )
  const statuses = (['1xx', '2xx', '3xx', '4xx', '5xx'] as const).filter(
    (code) => total[`status${code}`] > 0 || code === '2xx',
  )
  const left = (point: EdgeNumbers) =>
    point.requests - (point.status1xx + point.status2xx + point.status3xx + point.status4xx + point.status5xx)
  return [
    {
      ...{ name: 'requests', unit: 'perSecond', times, limit: null },
      lines: [
        ...statuses.map((code) => perSecond(code, (point) => point[`status${code}`])),
        ...(left(total) > 0 ? [perSecond('left', left)] : []),
      ],
    },
    {
      ...{ name: 'latency', unit: 'milliseconds', times, limit: null },
      lines: [
        measured('p50', ({ p50Ms }) => p50Ms),
        measured('p95', ({ p95Ms }) => p95Ms),
        measured('p99', ({ p99Ms }) => p99Ms),
      ],
    },
    {
      ...{ name: 'traffic', unit: 'bytesPerSecond', times, limit: null },
      lines: [perSecond('in', ({ bytesIn }) => bytesIn), perSecond('out', ({ bytesOut }) => bytesOut)],
    },
    {
      ...{ name: 'open', unit: 'count', times, limit: null },
      lines: [
        lineOf(
          'open',
          counted(({ openPeak }) => openPeak),
        ),
      ],
    },
  ]
}
