import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { getApp, stopApp } from '../../platform/apps.ts'
import { createDeployment, rollbackTo } from '../../platform/deployments.ts'
import type { App } from '../../platform/model/resources.ts'
import { scaleApp } from '../../platform/scale.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { createVolume } from '../../platform/volumes.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { dataVolume } from '../support/volumes.ts'
import { testHostForAll } from '../support/worker.ts'

const mebibyte = 2 ** 20

const host = testHostForAll()

const read = (app: App) => getApp(host.berth.platform, operator, app.id)
const scale = (app: App, size: object) => scaleApp(host.berth.platform, operator, app.id, size)
const running = async (app: App) => (await read(app)).containers.filter(({ state }) => state === 'running')

const untilScaled = (app: App) =>
  until('the size is true', async () => {
    const now = await read(app)
    return now.scale !== null && !now.scale.isPending && now
  })

async function scalingsOf(app: App) {
  const { data } = await listTimeline(host.berth.platform, operator, app.id, { kind: 'scaling' })
  return data.map(({ event }) => event)
}

/** Says which replica it is; one that does not start answers late. */
const named = {
  entrypoint: [
    '/bin/sh',
    '-c',
    'trap "exit 0" TERM; hostname > /www/index.html; httpd -f -p $PORT -h /www & wait',
  ],
}
const size = { limits: { memoryBytes: 32 * mebibyte, cpuMillis: 500, pids: 32 } }

async function live(name: string, settings = {}, spec: object = named): Promise<App> {
  const app = await host.makeApp(await host.push(name, spec), { ...size, ...settings })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  return app
}

/** As the kernel has it. */
function memoryLimitOf(id = 'none'): number {
  const [file = ''] = globSync([
    `/sys/fs/cgroup/memory/**/*${id}*/memory.limit_in_bytes`,
    `/sys/fs/cgroup/**/*${id}*/memory.max`,
  ])
  return Number(readFileSync(file, 'utf8'))
}

/** What was answered while the work ran: names of replicas, or what went wrong. */
async function answersDuring(app: App, work: () => Promise<unknown>): Promise<Set<string>> {
  const over = new AbortController()
  const answers = new Set<string>()
  const asking = (async () => {
    while (!over.signal.aborted) {
      const { status, body } = await host.ask(app)
      answers.add(status === 200 ? (body.trim().split('-').at(-1) ?? '') : String(status))
    }
  })()
  await work().finally(() => over.abort())
  await asking
  return answers
}

test('replicas come and go without a deployment: all of them serve, none that is not ready does, no request fails', async () => {
  const app = await live('grow')
  const [first] = await running(app)
  const up = await answersDuring(app, async () => {
    expect((await scale(app, { replicas: 3 })).scale).toMatchObject({ replicas: 3, isPending: true })
    expect((await untilScaled(app)).scale?.problem).toBeNull()
    await until('all three answer', async () => {
      const names = new Set<string>()
      for (let times = 0; times < 12; times++) names.add((await host.ask(app)).body)
      return names.size === 3
    })
  })
  expect([...up].sort()).toEqual(['0', '1', '2'])
  const down = await answersDuring(app, async () => {
    await scale(app, { replicas: 1 })
    await untilScaled(app)
  })
  expect([...down].every((name) => ['0', '1', '2'].includes(name))).toBe(true)
  const left = await running(app)
  expect(left.map(({ id, restarts }) => [id, restarts])).toEqual([[first?.id, 0]])
  expect(await scalingsOf(app)).toMatchObject([
    { kind: 'scaling.changed', from: { replicas: 3 }, to: { replicas: 1 } },
    { kind: 'scaling.changed', from: { replicas: 1 }, to: { replicas: 3 } },
  ])
  const { data } = await listTimeline(host.berth.platform, operator, app.id, { kind: 'scaling' })
  expect(data.map(({ actor }) => actor)).toEqual(['Operator', 'Operator'])
  expect((await read(app)).latestDeployment?.number).toBe(1)
})

test('limits change under a running container, and what the kernel can not do is refused and put back', async () => {
  const app = await live(
    'limits',
    {},
    {
      entrypoint: ['/bin/sh', '-c', 'head -c 24m /dev/zero > /dev/shm/full; exec httpd -f -p $PORT -h /www'],
    },
  )
  const [container] = await running(app)
  await scale(app, { memoryBytes: 64 * mebibyte, cpuMillis: 250 })
  expect((await untilScaled(app)).scale).toMatchObject({ memoryBytes: 64 * mebibyte, cpuMillis: 250 })
  expect(memoryLimitOf(container?.id)).toBe(64 * mebibyte)
  await scale(app, { memoryBytes: 8 * mebibyte })
  const refused = await untilScaled(app)
  expect(refused.scale).toMatchObject({
    memoryBytes: 64 * mebibyte,
    problem: { code: 'memory-in-use', message: expect.stringMatching(/uses \d+ MiB of memory: with 8 MiB/) },
  })
  expect(memoryLimitOf(container?.id)).toBe(64 * mebibyte)
  expect(refused.settings.limits).toMatchObject({ memoryBytes: 64 * mebibyte, cpuMillis: 250 })
  expect((await running(app)).map(({ id, restarts }) => [id, restarts])).toEqual([[container?.id, 0]])
  expect((await scalingsOf(app)).map(({ kind }) => kind)).toEqual(['scaling.refused', 'scaling.changed'])
})

test('a new replica that does not come up: the app is as it was, and the last size that was asked for wins', async () => {
  const only = `case $(hostname) in *-0) ;; *) exit 7;; esac; exec httpd -f -p $PORT -h /www`
  const app = await live('lame', {}, { entrypoint: ['/bin/sh', '-c', only] })
  await scale(app, { replicas: 3 })
  const refused = await untilScaled(app)
  expect(refused.scale).toMatchObject({ replicas: 1, problem: { code: 'replica-failed' } })
  expect(refused.settings.replicas).toBe(1)
  expect(await running(app)).toHaveLength(1)

  const slow = `case $(hostname) in *-0) ;; *) trap 'exit 1' TERM; sleep 20 & wait;; esac; exec httpd -f -p $PORT -h /www`
  const other = await live(
    'late',
    {},
    { entrypoint: ['/bin/sh', '-c', slow], files: { 'www/index.html': 'x' } },
  )
  await scale(other, { replicas: 3 })
  await until('the new ones run', async () => (await running(other)).length === 3)
  await scale(other, { replicas: 1 })
  expect((await untilScaled(other)).scale).toMatchObject({ replicas: 1, problem: null })
  expect(await running(other)).toHaveLength(1)
  // A deployment need not wait for it either.
  await scale(other, { replicas: 2 })
  await until('the new one runs', async () => (await running(other)).length === 2)
  const next = await host.deploy(other.id, await host.push('late-2'))
  await host.untilStatus(next.id, 'live')
  expect(await running(other)).toHaveLength(2)
})

test('a worker that is killed while it scales: the next one goes on', async () => {
  const late = `case $(hostname) in *-0) ;; *) sleep 2;; esac; exec httpd -f -p $PORT -h /www`
  const app = await live('cut', {}, { entrypoint: ['/bin/sh', '-c', late], files: { 'www/index.html': 'x' } })
  await scale(app, { replicas: 2, memoryBytes: 48 * mebibyte })
  await until('the new one runs', async () => (await running(app)).length === 2)
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  expect((await untilScaled(app)).scale).toMatchObject({ replicas: 2, problem: null })
  for (const { id } of await running(app)) expect(memoryLimitOf(id)).toBe(48 * mebibyte)
  expect(await scalingsOf(app)).toHaveLength(1)
})

test('a rollback brings back the limits that its deployment ran with last, and keeps as many replicas as serve', async () => {
  const app = await live('back-1')
  const first = (await read(app)).latestDeployment?.id ?? ''
  await scale(app, { memoryBytes: 40 * mebibyte })
  await untilScaled(app)
  const { platform } = host.berth
  await host.untilStatus((await createDeployment(platform, operator, app.id)).id, 'live')
  await scale(app, { replicas: 2, memoryBytes: 24 * mebibyte })
  await untilScaled(app)
  const back = await rollbackTo(platform, operator, first)
  expect(back.settings).toMatchObject({ replicas: 2, limits: { memoryBytes: 40 * mebibyte } })
  await host.untilStatus(back.id, 'live')
  expect(await running(app)).toHaveLength(2)
})

test('what can not be scaled says why: never live, a deployment on its way, a volume', async () => {
  const { platform } = host.berth
  const app = await host.makeApp(await host.push('no', named), size)
  await expect(scale(app, { replicas: 2 })).rejects.toMatchObject({
    code: 'conflict',
    message: /never been live/,
  })
  await expect(scale(app, {})).rejects.toMatchObject({ code: 'invalid' })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const next = await host.deploy(app.id)
  await expect(scale(app, { replicas: 2 })).rejects.toMatchObject({ message: /Deployment 2 is on its way/ })
  await host.untilStatus(next.id, 'live')
  await stopApp(platform, operator, app.id)
  expect((await scale(app, { memoryBytes: 40 * mebibyte })).scale).toMatchObject({
    memoryBytes: 40 * mebibyte,
  })
  await untilScaled(app)
  await createVolume(platform, operator, app.id, dataVolume)
  await expect(scale(app, { replicas: 2 })).rejects.toMatchObject({ message: /volume/ })
})
