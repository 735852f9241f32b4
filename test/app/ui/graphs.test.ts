import { expect, test } from 'vitest'
import { edgeGraphs } from '../../../app/_charts/edge-graphs.ts'
import { lonelyPlaces } from '../../../app/_charts/graph.ts'
import { labelsOf } from '../../../app/_charts/mark-labels.ts'
import { graphKinds, graphOf } from '../../../app/(dashboard)/[team]/[project]/[app]/metrics/graphs.ts'
import { type EdgeCount, edgeCounts } from '../../../platform/model/edge-use.ts'
import { type AppMetrics, containerMetrics } from '../../../platform/model/metrics.ts'

const zero = Date.parse('2027-01-01T00:00:00Z')
const at = (seconds: number) => new Date(zero + seconds * 1_000).toISOString()

function point(seconds: number, values: Partial<Record<(typeof containerMetrics)[number], number>>) {
  const means = containerMetrics.map((metric) => values[metric] ?? null)
  return { at: at(seconds), means, peaks: means.map((value) => (value === null ? null : value * 2)) }
}

const metrics: AppMetrics = {
  ...{ from: at(5), to: at(41), step: 10, metrics: [...containerMetrics], deployments: [] },
  series: [
    {
      container: 'old',
      process: 'web',
      replica: 0,
      points: [point(10, { cpuMillis: 500, cpuLimitMillis: 1_000 })],
    },
    {
      ...{ container: 'new', process: 'web', replica: 0 },
      points: [point(30, { cpuMillis: 250, cpuLimitMillis: 2_000, receivedBytes: 1, sentBytes: 2 })],
    },
    {
      container: 'other',
      process: 'worker',
      replica: 1,
      points: [point(40, { cpuMillis: 100 }), point(90, {})],
    },
  ],
}

test('containers of one replica are one line, with a gap where nothing was measured, and the highest limit', () => {
  const [cpu] = graphKinds
  if (cpu === undefined) throw new Error('there is no graph')
  const { times, lines, limit } = graphOf(cpu, metrics)
  expect(times.map((time) => time - zero / 1_000)).toEqual([10, 20, 30, 40])
  expect(lines).toEqual([
    { name: 'web.1', values: [0.5, null, 0.25, null], last: 0.25, mean: 0.375, peak: 1 },
    { name: 'worker.2', values: [null, null, null, 0.1], last: 0.1, mean: 0.1, peak: 0.2 },
  ])
  expect(limit).toBe(2)
})

test('what goes in and what goes out are added up, and have no limit', () => {
  const network = graphKinds.find(({ name }) => name === 'network')
  if (network === undefined) throw new Error('there is no graph')
  const { lines, limit } = graphOf(network, metrics)
  expect(lines[0]).toMatchObject({ values: [null, null, 3, null], peak: 6 })
  expect(limit).toBeNull()
})

test('requests are rates by status, zero where nothing was asked, and unknown where it is not over', () => {
  const none = Object.fromEntries(edgeCounts.map((name) => [name, 0])) as Record<EdgeCount, number>
  const numbers = { ...none, p50Ms: 4, p95Ms: 20, p99Ms: 90, openPeak: 1 }
  const asked = { ...numbers, requests: 60, status2xx: 50, status5xx: 5, bytesOut: 1_000 }
  const graphs = edgeGraphs({
    ...{ from: at(5), to: at(41), step: 10, completeTo: at(30), deployments: [], domains: [] },
    points: [{ at: at(10), ...asked }],
    total: { ...asked, p95Ms: 25 },
  })
  const linesOf = (name: string) => graphs.find((graph) => graph.name === name)?.lines ?? []
  expect(linesOf('requests').map(({ name, values }) => [name, values])).toEqual([
    ['2xx', [5, 0, null, null]],
    ['5xx', [0.5, 0, null, null]],
    ['left', [0.5, 0, null, null]],
  ])
  // Of all answers: percentiles have no mean.
  expect(linesOf('latency')[1]).toMatchObject({ name: 'p95', values: [20, null, null, null], mean: 25 })
  expect(linesOf('traffic')[1]).toMatchObject({ name: 'out', last: 0, peak: 100 })
})

test('a value with none beside it is a point', () => {
  expect(lonelyPlaces([1, null, 2, 3, null, 0, null, 4])).toEqual([0, 5, 7])
})

test('labels of marks never lie on one another: those of deployments close together become one', () => {
  const widthOf = (text: string) => text.length * 6
  const room = { right: 300, gap: 4, widthOf }
  const of = (...marks: [string, number][]) =>
    labelsOf(
      marks.map(([label, x]) => ({ label, x })),
      room,
    ).map(({ text, x }) => [text, x])
  expect(of(['#1', 10], ['#2', 100])).toEqual([
    ['#1', 14],
    ['#2', 104],
  ])
  expect(of(['#1', 10], ['#2', 15], ['#3', 100])).toEqual([
    ['#1–#2', 14],
    ['#3', 104],
  ])
  // What becomes one is wider, and may so come upon the next.
  expect(of(['#1', 10], ['#2', 20], ['#3', 43], ['#4', 120])).toEqual([
    ['#1–#3', 14],
    ['#4', 124],
  ])
  // At the end of the graph they stand further left, where others may be.
  expect(of(['#8', 150], ['#9', 264], ['#10', 299])).toEqual([
    ['#8', 154],
    ['#9–#10', 264],
  ])
  const many = Array.from({ length: 200 }, (_, at): [string, number] => [`#${at + 1}`, at * 1.5])
  const placed = labelsOf(
    many.map(([label, x]) => ({ label, x })),
    room,
  )
  for (const [at, { x }] of placed.entries()) {
    const before = placed[at - 1]
    if (before) expect(x).toBeGreaterThanOrEqual(before.x + widthOf(before.text) + 4)
  }
  expect(placed.at(-1)?.text.endsWith('#200')).toBe(true)
})
