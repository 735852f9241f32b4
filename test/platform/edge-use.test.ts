import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { edgeUseOf, readEdgeUse } from '../../platform/edge-use.ts'
import { addCounts, edgeCounts, latencyPercentile, latencyPlace } from '../../platform/model/edge-use.ts'
import { metricSteps } from '../../platform/model/metrics.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { prometheusText } from '../../platform/prometheus.ts'
import { addEdgeUse, rollUpEdgeUse, sweepEdgeUse } from '../../platform/worker/edge-use.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
let app: App

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam('Acme')
  app = await berth.makeApp(team.id, { name: 'Shop' })
})
afterAll(() => berth?.close())

const hostId = 'hst_edge'
/** Long enough ago to be rolled up, also right after a minute has begun. */
const minute = Math.floor(Date.now() / 60_000) * 60_000 - 180_000

/** So many answers with this status and this latency. */
function counts(requests: number, status: 2 | 4 | 5, latencyMs: number): number[] {
  const made: number[] = Array(edgeCounts.length).fill(0)
  made[0] = requests
  made[status] = requests
  made[edgeCounts.indexOf('bytesIn')] = requests * 100
  made[edgeCounts.indexOf('bytesOut')] = requests * 1_000
  made[edgeCounts.indexOf('latencyMs')] = requests * latencyMs
  addCounts(made, [...Array<number>(latencyPlace(latencyMs)).fill(0), requests])
  return made
}

const use = (domain: string, offsetMs: number, of: number[], appId = app.id) => ({
  ...{ appId, domain, at: minute + offsetMs, counts: of, openPeak: 2 },
})

test('what is counted of a domain adds up: in a point, in a minute, over domains and over the whole time', async () => {
  const { platform } = berth
  await addEdgeUse(platform, hostId, [
    use('shop.example', 0, counts(8, 2, 40)),
    use('shop.example', 10_000, counts(1, 5, 900)),
    use('shop.example/api', 0, counts(10, 2, 8)),
  ])
  await addEdgeUse(platform, hostId, [use('shop.example', 0, counts(1, 4, 5))])
  const range = {
    from: new Date(minute).toISOString(),
    to: new Date(minute + 60_000).toISOString(),
  }
  const all = await readEdgeUse(platform, operator, app.id, range)
  expect(all).toMatchObject({ step: 10, completeTo: range.to })
  expect(
    all.points.map(({ requests, status2xx, status4xx, status5xx, openPeak }) => [
      ...[requests, status2xx, status4xx, status5xx, openPeak],
    ]),
  ).toEqual([
    [19, 18, 1, 0, 4],
    [1, 0, 0, 1, 2],
  ])
  expect(all.total).toMatchObject({ requests: 20, bytesIn: 2_000, bytesOut: 20_000, status5xx: 1 })
  expect(all.total.p50Ms).toBeGreaterThan(6)
  expect(all.total.p50Ms).toBeLessThanOrEqual(8)
  expect(all.total.p99Ms).toBeGreaterThan(800)
  expect(all.total.p99Ms).toBeLessThanOrEqual(1_000)
  expect(all.domains.map(({ domain, requests }) => [domain, requests])).toEqual([
    ['shop.example', 10],
    ['shop.example/api', 10],
  ])
  const one = await readEdgeUse(platform, operator, app.id, { ...range, domain: 'shop.example/api' })
  expect(one.points.map(({ requests, p95Ms }) => [requests, p95Ms])).toEqual([[10, expect.any(Number)]])
  expect(one.domains).toHaveLength(2)
  for (let time = 0; time < 2; time++) {
    await rollUpEdgeUse(platform, hostId, {
      ...{ finer: 10, seconds: 60, from: new Date(minute), to: new Date(minute + 60_000) },
    })
    const coarse = await readEdgeUse(platform, operator, app.id, { ...range, step: 60 })
    expect(coarse.total).toEqual({ ...all.total, openPeak: 4 })
  }
  const asked = [
    { appId: app.id, sinceMs: 3_600_000 },
    { appId: app.id, sinceMs: 10_000 },
    { appId: 'app_of_nobody', sinceMs: 3_600_000 },
  ]
  expect(await edgeUseOf(platform, asked)).toEqual([
    { requests: 20, errors5xx: 1, p95Ms: expect.any(Number) },
    { requests: 0, errors5xx: 0, p95Ms: null },
    { requests: 0, errors5xx: 0, p95Ms: null },
  ])
})

test('Prometheus gets counters and a histogram of each domain', async () => {
  const text = await prometheusText(berth.platform, operator)
  const project = await berth.platform.db.project.findUniqueOrThrow({ where: { id: app.projectId } })
  const labels = `team="${team.slug}",project="${project.slug}",app="${app.slug}",domain="shop.example"`
  expect(text).toContain(`# TYPE berth_edge_requests_total counter\n`)
  expect(text).toContain(`berth_edge_requests_total{${labels},code="2xx"} 8\n`)
  expect(text).toContain(`berth_edge_requests_total{${labels},code="5xx"} 1\n`)
  expect(text).toContain(`berth_edge_requests_total{${labels},code="none"} 0\n`)
  expect(text).toContain(`berth_edge_sent_bytes_total{${labels}} 10000\n`)
  expect(text).toContain(`berth_edge_request_duration_seconds_bucket{${labels},le="0.005"} 1\n`)
  expect(text).toContain(`berth_edge_request_duration_seconds_bucket{${labels},le="0.05"} 9\n`)
  expect(text).toContain(`berth_edge_request_duration_seconds_bucket{${labels},le="+Inf"} 10\n`)
  expect(text).toContain(`berth_edge_request_duration_seconds_count{${labels}} 10\n`)
  expect(text).toContain(`berth_edge_open_requests{${labels}} `)
})

test('an app of another team is not there, nor is its domain', async () => {
  const { platform } = berth
  const others = await berth.makeTeam('Globex')
  const theirs = await berth.makeApp(others.id)
  await addEdgeUse(platform, hostId, [use('theirs.example', 0, counts(3, 2, 5), theirs.id)])
  const { viewer } = await berth.makeUser({ teamId: team.id, role: 'viewer' })
  await expect(readEdgeUse(platform, viewer, theirs.id)).rejects.toMatchObject({ code: 'not-found' })
  const range = { from: new Date(minute).toISOString(), domain: 'theirs.example' }
  const own = await readEdgeUse(platform, viewer, app.id, range)
  expect(own.points).toEqual([])
  expect(JSON.stringify(own)).not.toContain('theirs.example')
  await expect(prometheusText(platform, viewer)).rejects.toMatchObject({ code: 'forbidden' })
})

test('what is old goes, at last with the totals; and with its app at once', async () => {
  const { platform } = berth
  const [finest, , { keptSeconds }] = metricSteps
  const left = await berth.makeApp(team.id)
  await addEdgeUse(platform, hostId, [use('left.example', 0, counts(1, 2, 5), left.id)])
  const of = (appId: string) => platform.db.edgePoint.count({ where: { appId } })
  expect(await of(left.id)).toBe(2)
  // The other one has been rolled up: a minute of two domains, and their totals.
  await sweepEdgeUse(platform, minute + (finest.keptSeconds + 60) * 1_000)
  expect([await of(left.id), await of(app.id)]).toEqual([0, 4])
  await sweepEdgeUse(platform, minute + keptSeconds * 1_000)
  expect(await of(app.id)).toBe(0)
  await addEdgeUse(platform, hostId, [use('left.example', 0, counts(1, 2, 5), left.id)])
  await platform.db.app.delete({ where: { id: left.id } })
  expect(await of(left.id)).toBe(0)
  // The worker need not know yet.
  await addEdgeUse(platform, hostId, [use('left.example', 0, counts(1, 2, 5), left.id)])
  expect(await of(left.id)).toBe(0)
})

test('a percentile lies in the bucket of its answer, however long that took', () => {
  const answers: number[] = []
  for (const [requests, ms] of [
    [900, 1],
    [90, 120],
    [10, 9_000_000],
  ] as const)
    addCounts(answers, counts(requests, 2, ms))
  expect(latencyPercentile(answers, 0.5)).toBeLessThanOrEqual(1)
  expect(latencyPercentile(answers, 0.95)).toBeGreaterThan(100)
  expect(latencyPercentile(answers, 0.95)).toBeLessThanOrEqual(125)
  expect(latencyPercentile(answers, 0.999)).toBe(630_000)
  expect(latencyPercentile([], 0.5)).toBeNull()
  // Within it they lie evenly, the slowest at its end.
  const four: number[] = []
  addCounts(four, counts(4, 2, 5))
  expect([0.25, 0.5, 1].map((share) => latencyPercentile(four, share))).toEqual([4.25, 4.5, 5])
})
