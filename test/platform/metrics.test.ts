import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readUseOfReplicas } from '../../platform/container-use.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { readAppMetrics, readHostMetrics } from '../../platform/metrics.ts'
import { newId } from '../../platform/model/ids.ts'
import { containerMetrics, metricSteps } from '../../platform/model/metrics.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { prometheusText } from '../../platform/prometheus.ts'
import { type Measured, recordMetrics, rollUpMetrics, sweepMetrics } from '../../platform/worker/metrics.ts'
import { parseMemory, parseTimes } from '../../worker/metrics/host-usage.ts'
import { createRollUps } from '../../worker/metrics/roll-ups.ts'
import { rates } from '../../worker/metrics/sampler.ts'
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

const hostId = 'hst_measured'
const point = (appId: string | null, first: number | null, subject = `${appId}-0`): Measured => ({
  ...{ subject, hostId, appId, process: 'web', replica: 0 },
  values: [first, ...Array<number>(containerMetrics.length - 1).fill(1)],
})
const at = (ms: number) => new Date(ms)

test('six points of ten seconds become one of a minute, with their mean and their peak; again makes the same', async () => {
  const { platform } = berth
  const minute = Math.floor(Date.now() / 60_000) * 60_000 - 120_000
  for (const [index, value] of [10, 20, 30, 40, 50, null].entries())
    await recordMetrics(platform, at(minute + index * 10_000), [point(app.id, value)])
  // Of the next minute, which is not asked for.
  await recordMetrics(platform, at(minute + 60_000), [point(app.id, 1_000)])
  const range = { from: at(minute).toISOString(), to: at(minute + 60_000).toISOString() }
  const fine = await readAppMetrics(platform, operator, app.id, range)
  expect(fine).toMatchObject({ step: 10, metrics: containerMetrics })
  expect(fine.series.map(({ container, process, replica }) => [container, process, replica])).toEqual([
    [`${app.id}-0`, 'web', 0],
  ])
  expect(fine.series[0]?.points.map(({ means }) => means[0])).toEqual([10, 20, 30, 40, 50, null])
  for (let time = 0; time < 2; time++) {
    await rollUpMetrics(platform, hostId, {
      ...{ finer: 10, seconds: 60, from: at(minute), to: at(minute + 60_000) },
    })
    const coarse = await readAppMetrics(platform, operator, app.id, { ...range, step: 60 })
    expect(coarse.series[0]?.points.map(({ means, peaks }) => [means[0], peaks[0]])).toEqual([[30, 50]])
    expect(await platform.db.metricPoint.count({ where: { appId: app.id, stepSeconds: 60 } })).toBe(1)
  }
})

test('a worker that starts makes up for what was not rolled up, and what is old goes', async () => {
  const { platform } = berth
  const other = await berth.makeApp(team.id)
  const hourAgo = Math.floor(Date.now() / 600_000) * 600_000 - 3_600_000
  for (let index = 0; index < 60; index++)
    await recordMetrics(platform, at(hourAgo + index * 10_000), [point(other.id, index)])
  await createRollUps({ id: hostId, platform })()
  const range = { from: at(hourAgo).toISOString(), to: at(hourAgo + 600_000).toISOString() }
  const ten = await readAppMetrics(platform, operator, other.id, { ...range, step: 600 })
  expect(ten.series[0]?.points.map(({ means, peaks }) => [means[0], peaks[0]])).toEqual([[29.5, 59]])
  const count = () =>
    platform.db.metricPoint.groupBy({ by: ['stepSeconds'], where: { appId: other.id }, _count: true })
  expect(new Map((await count()).map((row) => [row.stepSeconds, row._count]))).toEqual(
    new Map([
      [10, 60],
      [60, 10],
      [600, 1],
      [3_600, 1],
    ]),
  )
  for (const { keptSeconds } of metricSteps) {
    await sweepMetrics(platform, hourAgo + 600_000 + keptSeconds * 1_000)
    expect((await count()).map((row) => row.stepSeconds).sort((a, b) => a - b)).toEqual(
      metricSteps.filter((step) => step.keptSeconds > keptSeconds).map(({ seconds }) => seconds),
    )
  }
})

test('a worker that starts goes on where the one before stopped, however long that was ago', async () => {
  const { platform } = berth
  const id = 'hst_away'
  const measured = (ms: number, value: number) =>
    recordMetrics(platform, at(ms), [{ ...point(app.id, value, 'away-0'), hostId: id }])
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000
  const ofHours = () =>
    platform.db.metricPoint.findMany({
      where: { hostId: id, stepSeconds: 3_600 },
      orderBy: { at: 'asc' },
      select: { at: true, means: true },
    })
  // Ten days of ten minutes, of which one worker made the first half.
  const days = [10, 5].map((back) => hour - back * 86_400_000)
  for (const [index, ms] of days.entries()) {
    await measured(ms, index + 1)
    await platform.db
      .$executeRaw`UPDATE metric_points SET "stepSeconds" = 600 WHERE "hostId" = ${id} AND "stepSeconds" = 10`
    await createRollUps({ id, platform })()
  }
  expect((await ofHours()).map(({ at, means }) => [at.getTime(), means[0]])).toEqual([
    [days[0], 1],
    [days[1], 2],
  ])
  // What was made is not made again: here it would be another number.
  await platform.db
    .$executeRaw`UPDATE metric_points SET means[1] = 7 WHERE "hostId" = ${id} AND "stepSeconds" = 600`
  await createRollUps({ id, platform })()
  expect((await ofHours()).map(({ means }) => means[0])).toEqual([1, 7])
})

test('the finest step that is kept and fits is answered; what can not be is refused with the field', async () => {
  const { platform } = berth
  const ask = (input: Parameters<typeof readAppMetrics>[3]) =>
    readAppMetrics(platform, operator, app.id, input)
  const back = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  expect((await ask({})).step).toBe(10)
  expect((await ask({ from: back(3) })).step).toBe(60)
  expect((await ask({ from: back(72) })).step).toBe(600)
  expect((await ask({ from: back(72), to: back(71) })).step).toBe(600)
  // What the graphs of a page ask for at most; a browser's clock is a little behind.
  expect((await ask({ from: back(720.01) })).step).toBe(3_600)
  await expect(ask({ from: back(1), to: back(2) })).rejects.toMatchObject({ fields: [{ path: 'from' }] })
  await expect(ask({ from: back(48), step: 10 })).rejects.toMatchObject({ fields: [{ path: 'step' }] })
  await expect(ask({ step: 7 })).rejects.toMatchObject({ fields: [{ path: 'step' }] })
  await expect(ask({ from: 'yesterday' })).rejects.toMatchObject({ fields: [{ path: 'from' }] })
})

test('deployments that went live in that time are told; strangers see nothing, viewers everything', async () => {
  const { platform, makeUser } = berth
  const liveAt = new Date(Date.now() - 60_000)
  const { id, number } = await createDeployment(platform, operator, app.id, {})
  await platform.db.deployment.update({ where: { id }, data: { status: 'superseded', liveAt } })
  const viewer = await makeUser({ teamId: team.id, role: 'viewer' })
  const seen = await readAppMetrics(platform, viewer.viewer, app.id)
  expect(seen.deployments).toEqual([{ id, number, liveAt: liveAt.toISOString() }])
  const stranger = await makeUser()
  await expect(readAppMetrics(platform, stranger.viewer, app.id)).rejects.toMatchObject({ code: 'not-found' })
  await expect(readHostMetrics(platform, viewer.viewer, hostId)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(prometheusText(platform, viewer.viewer)).rejects.toMatchObject({ code: 'forbidden' })
})

test('Prometheus is told the newest of each, with names that can not break out of their quotes', async () => {
  const { platform } = berth
  const now = Date.now()
  const odd = 'a"b\\c\nd'
  await recordMetrics(platform, at(now - 20_000), [point(app.id, 100, odd)])
  await recordMetrics(platform, at(now - 10_000), [point(app.id, 250, odd)])
  await recordMetrics(platform, at(now - 300_000), [point(app.id, 900, 'of long ago')])
  const text = await prometheusText(platform, operator)
  expect(text).toContain('# TYPE berth_container_cpu_cores gauge')
  expect(text).toContain(
    `,app="shop",process="web",replica="0",container="a\\"b\\\\c\\nd",host="${hostId}"} 0.25\n`,
  )
  expect(text).not.toContain('of long ago')
  // https://prometheus.io/docs/instrumenting/exposition_formats/
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+\{([a-z]+="([^"\\]|\\["\\n])*",?)+\} -?[0-9.e+-]+)$/,
    )
})

test('of the replicas that are live, what the fullest and the busiest used last is told', async () => {
  const { platform } = berth
  const id = newId('host')
  await platform.db.host.create({ data: { id, name: id, lastSeenAt: new Date() } })
  const used = await berth.makeApp(team.id)
  const deployments = [
    await createDeployment(platform, operator, used.id, {}),
    await createDeployment(platform, operator, used.id, {}),
  ]
  const [live, old] = deployments.map((each) => each.id)
  await platform.db.app.update({ where: { id: used.id }, data: { liveDeploymentId: live ?? null } })
  const container = async (deploymentId = '', replica = 0, state: 'running' | 'exited' = 'running') => {
    const data = {
      id: `${deploymentId}-${replica}`,
      deploymentId,
      replica,
      state,
      appId: used.id,
      hostId: id,
    }
    return (await platform.db.container.create({ data })).id
  }
  const measure = (subject: string, agoMs: number, cpu: number, memory: number) =>
    recordMetrics(platform, at(Date.now() - agoMs), [
      { ...point(used.id, cpu, subject), values: [cpu, 1_000, 0, memory, ...Array<number>(7).fill(1)] },
    ])
  const ask = () => readUseOfReplicas(platform, operator, used.id)
  const [one, two] = [await container(live, 0), await container(live, 1)]
  expect(await ask()).toBeNull()
  await measure(one, 20_000, 900, 900)
  await measure(one, 10_000, 100.4, 700)
  await measure(two, 10_000, 50, 800)
  expect(await ask()).toEqual({ cpuMillis: 100, memoryBytes: 800 })
  await measure(await container(old, 0), 10_000, 990, 990)
  await measure(await container(live, 2, 'exited'), 10_000, 980, 980)
  await measure(await container(live, 3), 120_000, 970, 970)
  expect(await ask()).toEqual({ cpuMillis: 100, memoryBytes: 800 })
})

test('an app that is gone takes its points along, and gets no more', async () => {
  const { platform } = berth
  const gone = await berth.makeApp(team.id)
  const of = { where: { appId: gone.id } }
  await recordMetrics(platform, at(Date.now()), [point(gone.id, 1)])
  expect(await platform.db.metricPoint.count(of)).toBe(1)
  await platform.db.app.delete({ where: { id: gone.id } })
  await recordMetrics(platform, at(Date.now() + 10_000), [point(gone.id, 1), point(app.id, 5)])
  expect(await platform.db.metricPoint.count(of)).toBe(0)
  expect(await platform.db.metricPoint.count({ where: { appId: app.id, means: { has: 5 } } })).toBe(1)
})

test('the kernel’s numbers are read, and counters that begin anew make no rates', () => {
  const stat =
    'cpu  100 10 50 800 40 5 5 10 7 0\ncpu0 50 5 25 400 20 2 2 5 0 0\ncpu1 50 5 25 400 20 3 3 5 7 0\nintr 1\n'
  expect(parseTimes(stat)).toEqual({ busy: 180, all: 1_020, processors: 2 })
  expect(parseMemory('MemTotal:        1000 kB\nMemFree: 10 kB\nMemAvailable:     400 kB\n')).toEqual({
    total: 1_024_000,
    available: 409_600,
  })
  const zero = { cpuThrottledNs: 0, memoryCacheBytes: 0, outOfMemoryKills: 0, reads: 0, writes: 0 }
  const none = { receivedPackets: 0, sentPackets: 0, limits: { memoryBytes: 64, cpuMillis: 500, pids: 9 } }
  const before = {
    ...{
      at: '2027-01-01T00:00:00.000Z',
      cpuNs: 1e9,
      memoryBytes: 5,
      pids: 1,
      readBytes: 0,
      writtenBytes: 100,
    },
    ...{ receivedBytes: 1_000, sentBytes: 0, ...zero, ...none },
  }
  const now = {
    ...before,
    at: '2027-01-01T00:00:10.000Z',
    cpuNs: 6e9,
    cpuThrottledNs: 1e9,
    receivedBytes: 3_000,
  }
  expect(rates(before, now)).toEqual([500, 500, 0.1, 5, 64, 1, 9, 200, 0, 0, 0])
  expect(rates({ ...before, cpuNs: 9e9 }, now)).toBeNull()
  expect(rates(before, before)).toBeNull()
})
