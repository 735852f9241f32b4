import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readAppMetrics, readHostMetrics } from '../../platform/metrics.ts'
import { containerMetrics, hostMetrics } from '../../platform/model/metrics.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { quickSettings, startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
})
afterAll(() => host?.close())

test('what containers and the host use is measured every ten seconds, with its limits', async () => {
  const { platform, config } = host.berth
  // Busy, and kept from being busier.
  const entrypoint = ['/bin/sh', '-c', 'yes >/dev/null & httpd -f -p $PORT -h /www & wait']
  const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 200, pids: 64 }
  const app = await host.makeApp(await host.push('busy', { entrypoint }), {
    limits,
    replicas: 2,
    healthCheck: quickSettings.healthCheck,
  })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const seen = await until(
    'two points of each replica',
    async () => {
      const { series } = await readAppMetrics(platform, operator, app.id)
      return series.length === 2 && series.every(({ points }) => points.length >= 2) && series
    },
    90_000,
  )
  expect(seen.map(({ process, replica }) => [process, replica])).toEqual([
    ['web', 0],
    ['web', 1],
  ])
  for (const { points } of seen) {
    const last = points.at(-1)?.means ?? []
    const of = (name: (typeof containerMetrics)[number]) => last[containerMetrics.indexOf(name)] ?? -1
    expect(of('cpuMillis')).toBeGreaterThan(50)
    expect(of('cpuMillis')).toBeLessThan(260)
    expect(of('cpuThrottled')).toBeGreaterThan(0)
    expect(of('memoryBytes')).toBeGreaterThan(50_000)
    expect([of('cpuLimitMillis'), of('memoryLimitBytes'), of('pidsLimit')]).toEqual([200, 64 * 2 ** 20, 64])
    expect(of('pids')).toBeGreaterThanOrEqual(3)
    // On the marks of ten seconds, one each.
    const times = points.map(({ at }) => Date.parse(at))
    expect(times.every((time) => time % 10_000 === 0)).toBe(true)
    expect(new Set(times).size).toBe(times.length)
  }
  const ofHost = await readHostMetrics(platform, operator, config.hostId)
  const last = ofHost.points.at(-1)?.means ?? []
  const value = (name: (typeof hostMetrics)[number]) => last[hostMetrics.indexOf(name)] ?? -1
  expect(value('cpuMillis')).toBeGreaterThan(0)
  expect(value('cpuMillis')).toBeLessThanOrEqual(value('cpuLimitMillis'))
  expect(value('memoryBytes')).toBeLessThan(value('memoryLimitBytes'))
  expect(value('containers')).toBe(2)
  expect(value('diskBytes')).toBeLessThan(value('diskLimitBytes'))
})
