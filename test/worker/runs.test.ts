import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { deleteApp, getApp, stopApp } from '../../platform/apps.ts'
import { createCronJob, getCronJob, runCronJobNow } from '../../platform/cron-jobs.ts'
import { follow, streams } from '../../platform/event-log.ts'
import { listLogs } from '../../platform/logs.ts'
import type { App } from '../../platform/model/resources.ts'
import { isRunOver, type RunDetail, type RunStatus } from '../../platform/model/runs.ts'
import { cancelRun, createRun, getRun, listRuns, runContainerId } from '../../platform/runs.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { setVariables } from '../../platform/variables.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let app: App

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  app = await host.makeApp(await host.push('commands'))
  const set = [{ name: 'STAGE', value: 'test' }]
  await setVariables(host.berth.platform, operator, { appId: app.id }, { set })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
})
afterAll(() => host?.close())

/** Tells what this test runs from what others do. */
const mark = randomUUID()

/** On the host, of processes that were started with this in their arguments. */
function pidsOf(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
    } catch {
      return false
    }
  })
}

const sh = (script: string) => ['/bin/sh', '-c', script]
const run = (script: string, timeoutMs?: number) =>
  createRun(host.berth.platform, operator, app.id, { command: sh(script), timeoutMs })
const read = (id: string) => getRun(host.berth.platform, operator, id)
const texts = ({ log }: RunDetail) => log.map(({ text }) => text)

async function untilStatus(id: string, status: RunStatus): Promise<RunDetail> {
  await until(`the run is ${status}`, async () => {
    const now = await read(id)
    return now.status === status || isRunOver(now.status)
  })
  const found = await read(id)
  expect({ status: found.status, message: found.message }).toMatchObject({ status })
  return found
}

/** Once its container wrote this. */
async function untilSaid(text: string): Promise<void> {
  const stream = streams.appLogs(app.id)
  for await (const { event } of follow(host.berth.platform, stream, { signal: AbortSignal.timeout(30_000) }))
    if (event.text === text) return
  throw new Error(`nobody said ${text}`)
}

test('a command runs once with the image and variables of what is live, beside it, and its log is kept', async () => {
  const { id } = await run('cat /www/index.html; echo; echo $STAGE; echo oops >&2')
  const done = await untilStatus(id, 'succeeded')
  expect(done).toMatchObject({ exitCode: 0, reason: null, deploymentNumber: 1, by: 'Operator' })
  expect([...texts(done)].sort()).toEqual(['commands', 'oops', 'test'])
  expect(done.log.find(({ text }) => text === 'oops')?.stream).toBe('stderr')
  expect((await getApp(host.berth.platform, operator, app.id)).containers).toHaveLength(1)
  expect(await host.ask(app)).toMatchObject({ status: 200 })
})

test.each([
  { title: 'ends with an error', script: 'echo no table; exit 4', end: { reason: 'exited', exitCode: 4 } },
  { title: 'is killed by a signal', script: 'exit 137', end: { reason: 'signal', signal: 'SIGKILL' } },
  { title: 'needs too much memory', script: 'tail -f /dev/zero', end: { reason: 'out-of-memory' } },
  {
    title: 'does not end in time',
    script: 'echo waiting; exec sleep 1000',
    timeoutMs: 1_000,
    end: { reason: 'timeout', message: 'It did not end within 1 s and was stopped.' },
  },
])('one that $title says so, and the timeline too', async ({ script, timeoutMs, end }) => {
  const { id } = await run(script, timeoutMs)
  const failed = await untilStatus(id, 'failed')
  expect(failed).toMatchObject(end)
  const told = await until('it is told', async () => {
    const { data } = await listTimeline(host.berth.platform, operator, app.id, { kind: 'run' })
    return data.find(({ event }) => event.kind === 'run.failed' && event.runId === id)
  })
  expect(told.event).toMatchObject({ reason: end.reason })
})

test('every line of what ends at once is kept, however much it is, before its container goes', async () => {
  const firstOf = async (id: string) => {
    const page = await listLogs(host.berth.platform, operator, app.id, { container: runContainerId(id) })
    return page.data.map(({ text, process }) => [process, text])
  }
  const short = await Promise.all(Array.from({ length: 6 }, (_, index) => run(`echo short ${index}`)))
  const long = await run('seq 1 60000')
  for (const { id } of [...short, long]) await untilStatus(id, 'succeeded')
  for (const [index, { id }] of short.entries())
    expect(await firstOf(id)).toEqual([['run', `short ${index}`]])
  const seen: string[] = []
  for (let after = 0; ; ) {
    const { data } = await listLogs(host.berth.platform, operator, app.id, {
      ...{ container: runContainerId(long.id), after, limit: 1_000 },
    })
    const last = data.at(-1)
    if (last === undefined) break
    seen.push(...data.map(({ text }) => text))
    after = last.number
  }
  expect(seen).toEqual(Array.from({ length: 60_000 }, (_, index) => String(index + 1)))
})

test('a program that is not there is an error that says so', async () => {
  const { id } = await createRun(host.berth.platform, operator, app.id, { command: ['/no/such'] })
  const failed = await untilStatus(id, 'failed')
  expect(failed).toMatchObject({ reason: 'start-failed', message: expect.stringContaining('/no/such') })
})

test('one that is canceled ends, and says that it was', async () => {
  const { id } = await run('echo begun; exec sleep 1000')
  await untilSaid('begun')
  await cancelRun(host.berth.platform, operator, id)
  expect(texts(await untilStatus(id, 'canceled'))).toEqual(['begun'])
  await expect(cancelRun(host.berth.platform, operator, id)).rejects.toMatchObject({ code: 'conflict' })
})

test('a deployment, a stop and a killed worker do not disturb it, and it is not begun twice', async () => {
  const { id } = await run(
    `: run-waits-${mark}; echo once; until [ -e /tmp/go ]; do sleep 0.1; done; echo done`,
  )
  await untilSaid('once')
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await stopApp(host.berth.platform, operator, app.id)
  await until('it is stopped', async () => {
    const { containers } = await getApp(host.berth.platform, operator, app.id)
    return containers.every(({ state }) => state === 'removed')
  })
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  expect((await read(id)).status).toBe('running')
  for (const pid of pidsOf(`run-waits-${mark}`)) writeFileSync(`/proc/${pid}/root/tmp/go`, '')
  expect(texts(await untilStatus(id, 'succeeded'))).toEqual(['once', 'done'])
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
})

test('a cron job that is due begins a run, is due again later, and one under way keeps the next from beginning', async () => {
  const { platform } = host.berth
  const job = await createCronJob(platform, operator, app.id, {
    ...{ name: 'Nightly', schedule: '0 3 * * *', timeZone: 'Asia/Shanghai' },
    command: sh(`: nightly-${mark}; echo nightly; sleep 1000 & wait`),
  })
  const isDue = () => platform.db.cronJob.update({ where: { id: job.id }, data: { nextAt: new Date() } })
  const last = async () => (await listRuns(platform, operator, app.id, { limit: 1 })).data[0]
  await isDue()
  await until('it runs', async () => (await last())?.status === 'running')
  const first = await last()
  expect(first).toMatchObject({ cronJobId: job.id, cronJobName: 'Nightly', by: null })
  expect((await getCronJob(platform, operator, job.id)).nextAt).toMatch(/T19:00:00\.000Z$/)
  await isDue()
  await until('the next is left out', async () => (await last())?.status === 'skipped')
  expect(await last()).toMatchObject({ reason: 'still-running' })
  await platform.db.cronJob.update({ where: { id: job.id }, data: { concurrency: 'replace' } })
  await isDue()
  await untilStatus(first?.id ?? '', 'canceled')
  await until('the replacing one runs', async () => (await last())?.status === 'running')
  const now = await runCronJobNow(platform, operator, job.id)
  await untilStatus(now.id, 'running')
})

test('a deleted app takes its runs with it', async () => {
  await deleteApp(host.berth.platform, operator, app.id)
  await until(
    'it is gone',
    async () => (await host.berth.platform.db.app.count({ where: { id: app.id } })) === 0,
  )
  expect(await host.berth.platform.db.run.count()).toBe(0)
  expect(pidsOf(`nightly-${mark}`)).toEqual([])
})
