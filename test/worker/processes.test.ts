import { globSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp, updateApp } from '../../platform/apps.ts'
import { cancelDeployment, rollbackTo } from '../../platform/deployments.ts'
import { listLogs } from '../../platform/logs.ts'
import type { AppSettingsInput, ProcessSettingsInput } from '../../platform/model/app-settings.ts'
import type { App } from '../../platform/model/resources.ts'
import { scaleApp } from '../../platform/scale.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

/** What runs beside `web` from the same image. */
let host: TestHost
let image: string

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  // What a process is given as its command comes after the image's entrypoint.
  image = await host.push('processes', {
    entrypoint: ['/bin/sh', '-c'],
    command: ['trap "exit 0" TERM; httpd -f -p $PORT -h /www & wait'],
  })
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

const mebibyte = 2 ** 20
const limits = { memoryBytes: 32 * mebibyte, cpuMillis: 200, pids: 32 }
const healthCheck = { intervalMs: 100, startPeriodMs: 5_000, observationMs: 300 }
/** Works until it is told to end, and says when it has. */
const loop = (word: string) =>
  `echo "$BERTH_PROCESS $(hostname) does ${word}"; trap 'echo "${word} put back"; exit 0' TERM; while :; do sleep 0.1; done`

function worker(script: string, more: Partial<ProcessSettingsInput> = {}): ProcessSettingsInput {
  return { command: [script], limits, healthCheck, ...more }
}

const read = (app: App) => getApp(host.berth.platform, operator, app.id)
const running = async (app: App, process: string) =>
  (await read(app)).containers.filter((each) => each.process === process && each.state === 'running')
const ids = async (app: App, process: string) => (await running(app, process)).map(({ id }) => id)

const make = (processes: AppSettingsInput['processes'], more: Partial<AppSettingsInput> = {}) =>
  host.makeApp(image, { processes, ...more })

async function live(processes: AppSettingsInput['processes'], more: Partial<AppSettingsInput> = {}) {
  const app = await make(processes, more)
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  return app
}

const change = (app: App, processes: AppSettingsInput['processes']) =>
  updateApp(host.berth.platform, operator, app.id, { settings: { processes } })

const written = (app: App, text: string) =>
  until(`somebody wrote ${text}`, async () => {
    const { data } = await listLogs(host.berth.platform, operator, app.id, { limit: 100 })
    return data.find((line) => line.text.includes(text))
  })

const untilScaled = (app: App) =>
  until('the size is true', async () => {
    const now = await read(app)
    return now.scale !== null && !now.scale.isPending && now
  })

/** As the kernel has it. */
function memoryLimitOf(id = 'none'): number {
  const [file = ''] = globSync([
    `/sys/fs/cgroup/memory/**/*${id}*/memory.limit_in_bytes`,
    `/sys/fs/cgroup/**/*${id}*/memory.max`,
  ])
  return Number(readFileSync(file, 'utf8'))
}

test('all processes of an app start together, each with its own command, number and limits; requests reach web alone', async () => {
  const app = await live({
    worker: worker(loop('mail'), { replicas: 2 }),
    asleep: worker('exit 1', { replicas: 0 }),
  })
  const found = await read(app)
  expect(found).toMatchObject({ status: 'running', scale: { processes: { asleep: { replicas: 0 } } } })
  const shown = found.containers.map(({ process, replica, state }) => `${process} ${replica} ${state}`)
  expect(shown.sort()).toEqual(['web 0 running', 'worker 0 running', 'worker 1 running'])
  const [first] = await ids(app, 'worker')
  expect(memoryLimitOf(first)).toBe(32 * mebibyte)
  expect(memoryLimitOf((await ids(app, 'web'))[0])).toBe(64 * mebibyte)
  expect(await written(app, `worker ${app.slug}-worker-1 does mail`)).toMatchObject({
    process: 'worker',
    replica: 1,
  })
  for (let times = 0; times < 6; times++) expect((await host.ask(app)).body).toBe('processes')
})

test('a worker that crashes fails the deployment, and says which process it was; what served goes on, worker and all', async () => {
  const app = await live({ worker: worker(loop('mail')) })
  const before = [await ids(app, 'web'), await ids(app, 'worker')]
  // As long as a busy machine may take to notice that it ended.
  const patient = { ...healthCheck, observationMs: 3_000 }
  await change(app, { worker: worker('echo no broker; exit 3', { healthCheck: patient }) })
  const { failure } = await host.untilStatus((await host.deploy(app.id)).id, 'failed')
  expect(failure).toMatchObject({
    code: 'exited',
    step: 'check',
    exitCode: 3,
    facts: { process: 'worker' },
    lastLogLines: ['no broker'],
  })
  expect(failure?.message).toMatch(/^The process worker exited with code 3 before it was live/)
  await until('nothing of it is left', async () => (await read(app)).containers.length === 2)
  expect([await ids(app, 'web'), await ids(app, 'worker')]).toEqual(before)
  expect((await read(app)).containers.map(({ restarts }) => restarts)).toEqual([0, 0])
  expect((await host.ask(app)).status).toBe(200)
})

test('a program that is not there, and a check that is not passed, fail with the name of the process', async () => {
  const missing = await make({ clock: { entrypoint: ['/bin/not-there'], limits, healthCheck } })
  const first = await host.untilStatus((await host.deploy(missing.id)).id, 'failed')
  expect(first.failure).toMatchObject({ code: 'command-not-found', facts: { process: 'clock' } })
  expect(first.failure?.message).toMatch(/^The process clock: The command \/bin\/not-there was not found/)
  const command = ['/bin/sh', '-c', 'exit 9']
  const sick = worker(loop('mail'), { healthCheck: { ...healthCheck, command, startPeriodMs: 1_000 } })
  const unready = await make({ worker: sick })
  const second = await host.untilStatus((await host.deploy(unready.id)).id, 'failed')
  expect(second.failure).toMatchObject({
    code: 'unhealthy',
    facts: { process: 'worker', when: 'start', probe: 'command', exitCode: 9 },
  })
  const ready = worker('touch /tmp/ready; sleep 60', {
    healthCheck: { ...healthCheck, command: ['/bin/test', '-e', '/tmp/ready'] },
  })
  await change(unready, { worker: ready })
  await host.untilStatus((await host.deploy(unready.id)).id, 'live')
})

test('an old worker gets its stop signal and its own grace, while the new one works already', async () => {
  const slow = `echo old works; trap 'sleep 3; echo old is done; exit 0' TERM; while :; do sleep 0.1; done`
  // The app's own grace is 2 s.
  const app = await live({ worker: worker(slow, { stopGraceMs: 20_000 }) })
  await written(app, 'old works')
  await change(app, { worker: worker(loop('new')) })
  const second = await host.deploy(app.id)
  await written(app, 'does new')
  await host.untilStatus(second.id, 'live')
  await written(app, 'old is done')
  expect((await read(app)).containers.every(({ deploymentId }) => deploymentId === second.id)).toBe(true)
})

test('a deployment that is called off leaves the old workers as they were', async () => {
  const app = await live({ worker: worker(loop('mail')) })
  const before = await ids(app, 'worker')
  await change(app, {
    worker: worker(loop('news'), { healthCheck: { ...healthCheck, observationMs: 60_000 } }),
  })
  const second = await host.deploy(app.id)
  await written(app, 'does news')
  await cancelDeployment(host.berth.platform, operator, second.id)
  await host.untilStatus(second.id, 'canceled')
  // It was told to end, and had its grace.
  await written(app, 'news put back')
  await until('nothing of it is left', async () => (await read(app)).containers.length === 2)
  expect(await ids(app, 'worker')).toEqual(before)
})

test('a rollback brings back the processes of the deployment that it goes back to', async () => {
  const app = await live({ worker: worker(loop('mail')), clock: worker(loop('ticks')) })
  const { liveDeploymentId } = await read(app)
  await change(app, { clock: worker(loop('tocks')) })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await written(app, 'does tocks')
  expect(await running(app, 'worker')).toEqual([])
  const back = await rollbackTo(host.berth.platform, operator, liveDeploymentId ?? '')
  expect((await host.untilStatus(back.id, 'live')).settings.processes.clock?.command).toEqual([loop('ticks')])
  expect(await running(app, 'worker')).toHaveLength(1)
  expect(await running(app, 'clock')).toHaveLength(1)
})

test('each process is scaled without a deployment, to none and back', async () => {
  const app = await live({ worker: worker(loop('mail')) })
  const web = await ids(app, 'web')
  const scale = (size: object) =>
    scaleApp(host.berth.platform, operator, app.id, { process: 'worker', ...size })
  await scale({ replicas: 3, memoryBytes: 48 * mebibyte })
  expect((await untilScaled(app)).scale).toMatchObject({
    replicas: 1,
    problem: null,
    processes: { worker: { replicas: 3, memoryBytes: 48 * mebibyte } },
  })
  expect(await running(app, 'worker')).toHaveLength(3)
  for (const id of await ids(app, 'worker')) expect(memoryLimitOf(id)).toBe(48 * mebibyte)
  await scale({ replicas: 0 })
  expect((await untilScaled(app)).settings.processes.worker?.replicas).toBe(0)
  expect(await running(app, 'worker')).toEqual([])
  await written(app, 'mail put back')
  expect(await ids(app, 'web')).toEqual(web)
  const { data } = await listTimeline(host.berth.platform, operator, app.id, { kind: 'scaling' })
  expect(data[0]?.event).toMatchObject({ from: { processes: { worker: { replicas: 3 } } } })
  await expect(
    scaleApp(host.berth.platform, operator, app.id, { process: 'clock', replicas: 2 }),
  ).rejects.toThrow('has no process clock')
})

test('a live worker that crashes in a loop is told of by its name, and a killed one comes back', async () => {
  const app = await live({
    worker: worker('test -e /tmp/again && exit 5; touch /tmp/again; sleep 1.5; exit 5'),
  })
  const told = await until(
    'the timeline tells of it',
    async () => {
      const { data } = await listTimeline(host.berth.platform, operator, app.id, { kind: 'container' })
      return data.find(({ event }) => event.kind === 'container.crash-looping')
    },
    120_000,
  )
  expect(told.event).toMatchObject({ process: 'worker', replica: 0, exitCode: 5 })
  expect((await host.ask(app)).status).toBe(200)
})
