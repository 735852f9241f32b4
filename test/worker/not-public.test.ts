import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp, startApp, stopApp, updateApp } from '../../platform/apps.ts'
import { rollbackTo } from '../../platform/deployments.ts'
import type { AppSettingsInput } from '../../platform/model/app-settings.ts'
import type { App } from '../../platform/model/resources.ts'
import { publishPort } from '../../platform/ports/ports.ts'
import { setVariables } from '../../platform/variables.ts'
import { get } from '../support/edge.ts'
import { nodeImage } from '../support/node-image.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

/** Apps without a public name: what speaks UDP alone, what listens on nothing, what only its neighbours ask. */
let host: TestHost
let page: string
let listener: string

const listens = `
import { createSocket } from 'node:dgram'
const udp = createSocket('udp4')
udp.on('message', (_, { port, address }) => udp.send(process.env.VERSION, port, address))
udp.bind(7000)
process.on('SIGTERM', () => udp.close())
`

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  page = await host.push('page')
  const spec = await nodeImage({ 'listens.mjs': listens })
  listener = await host.push('listener', { ...spec, entrypoint: ['/bin/node', '/listens.mjs'] })
  await host.startWorker()
})
afterAll(() => host?.close())

const read = (app: App) => getApp(host.berth.platform, operator, app.id)
const make = (image: string, settings: Partial<AppSettingsInput> = {}) =>
  host.makeApp(image, { isPublic: false, ...settings })
const live = async (app: App) => host.untilStatus((await host.deploy(app.id)).id, 'live')
const change = (app: App, settings: Partial<AppSettingsInput>) =>
  updateApp(host.berth.platform, operator, app.id, { settings })
/** Its own name, whether or not it is told people by it. */
const answers = async (app: App) =>
  (await get(host.berth.config.port, `${app.slug}-acme.localhost`, { path: '/' })).status
const asleep = (script = '') => ['/bin/sh', '-c', `${script} exec sleep 1000`]

test('an app that speaks UDP alone is deployed, replaced, stopped, started and found again, and has no name', async () => {
  const app = await make(listener, { limits: { memoryBytes: 256 * 2 ** 20, cpuMillis: 1_000, pids: 64 } })
  const { hostPort } = await publishPort(host.berth.platform, operator, app.id, {
    protocol: 'udp',
    containerPort: 7000,
  })
  const argv = [join(import.meta.dirname, '../support/ask-line.ts'), 'udp', '127.0.0.1', String(hostPort)]
  const ask = () =>
    promisify(execFile)(process.execPath, argv).then(
      ({ stdout }) => stdout,
      () => null,
    )
  const say = (value: string) =>
    setVariables(host.berth.platform, operator, { appId: app.id }, { set: [{ name: 'VERSION', value }] })
  await say('one')
  await live(app)
  expect(await ask()).toBe('one')
  expect((await read(app)).urls).toEqual([])
  expect(await answers(app)).toBe(404)
  await say('two')
  await live(app)
  expect(await ask()).toBe('two')
  await stopApp(host.berth.platform, operator, app.id)
  await until('it leads nowhere', async () => (await ask()) === null)
  await startApp(host.berth.platform, operator, app.id)
  await until('it answers again', async () => (await ask()) === 'two')
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  expect(await ask()).toBe('two')
  expect((await read(app)).status).toBe('running')
}, 120_000)

test('an app that listens on nothing is live once it ran through its observation; one that ends is not', async () => {
  const app = await make(page, { command: asleep() })
  const { steps } = await live(app)
  expect(steps.map(({ status }) => status)).not.toContain('failed')
  expect(await read(app)).toMatchObject({ status: 'running', urls: [] })
  await change(app, { command: asleep('sleep 0.2; exit 3;'), healthCheck: { observationMs: 10_000 } })
  const { failure } = await host.untilStatus((await host.deploy(app.id)).id, 'failed')
  expect(failure).toMatchObject({ code: 'exited', exitCode: 3 })
  expect(await read(app)).toMatchObject({ status: 'running' })
}, 60_000)

test('what was set for its health is asked all the same: a command, a port, a path', async () => {
  const quick = { intervalMs: 100, startPeriodMs: 1_000, observationMs: 200 }
  const fails = async (settings: Partial<AppSettingsInput>) => {
    const app = await make(page, settings)
    return (await host.untilStatus((await host.deploy(app.id)).id, 'failed')).failure
  }
  const command = ['/bin/sh', '-c', 'exit 5']
  expect(await fails({ command: asleep(), healthCheck: { ...quick, command } })).toMatchObject({
    ...{ code: 'unhealthy', facts: { when: 'start', exitCode: 5 } },
  })
  expect(await fails({ command: asleep(), port: 5432, healthCheck: quick })).toMatchObject({
    code: 'not-listening',
  })
  expect(await fails({ healthCheck: { ...quick, path: '/none' } })).toMatchObject({
    ...{ code: 'unhealthy', facts: { status: 404 } },
  })
  await live(await make(page, { healthCheck: { ...quick, path: '/' } }))
}, 60_000)

test('a name is lost and found with a deployment, not before, and by a rollback', async () => {
  const app = await host.makeApp(page)
  const first = await live(app)
  expect(await answers(app)).toBe(200)
  await change(app, { isPublic: false })
  expect(await answers(app)).toBe(200)
  expect((await read(app)).urls).toEqual(app.urls)
  await live(app)
  await until('no name leads there', async () => (await answers(app)) === 404)
  expect((await read(app)).urls).toEqual([])
  await host.untilStatus((await rollbackTo(host.berth.platform, operator, first.id)).id, 'live')
  expect(await answers(app)).toBe(200)
  expect((await read(app)).urls).toEqual(app.urls)
}, 60_000)
