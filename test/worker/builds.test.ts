import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import { readBuildLog } from '../../platform/builds/build-log.ts'
import { createBuild } from '../../platform/builds/create-build.ts'
import { cancelDeployment, getDeployment } from '../../platform/deployments.ts'
import type { App, Deployment } from '../../platform/model/resources.ts'
import { setVariables } from '../../platform/variables.ts'
import { makeTar } from '../support/images.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const history = [{ created_by: 'busybox' }, { created_by: 'base' }]
  await host.push('base:1', { history })
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

async function makeApp(): Promise<App> {
  return host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`)
}

async function upload(app: App, steps: string, files: Record<string, string> = {}): Promise<Deployment> {
  const dockerfile = `FROM ${host.berth.config.registryHost}/acme/base:1\n${steps}\n`
  const entries = Object.entries({ Dockerfile: dockerfile, ...files }).map(([name, content]) => ({
    name,
    content,
  }))
  const body = Readable.toWeb(Readable.from([await makeTar(entries)])) as ReadableStream<Uint8Array>
  return createBuild(host.berth.platform, operator, app.id, { format: 'tar', body })
}

async function said(id: string): Promise<string[]> {
  return (await readBuildLog(host.berth.platform, operator, id)).lines.map(({ text }) => text)
}

const untilSaid = (id: string, line: string) =>
  until(`it says ${line}`, async () => (await said(id)).includes(line))

test('source becomes an app that answers, and the next build of it takes what is the same out of the cache', async () => {
  const app = await makeApp()
  const { id, image } = await upload(app, 'RUN echo slow-step\nCOPY index.html /www/', {
    'index.html': 'first',
  })
  const live = await host.untilStatus(id, 'live')
  expect(live.steps.map(({ name, status }) => `${name} ${status}`)).toEqual(
    ['build', 'pull', 'start', 'check', 'route', 'retire'].map((name) => `${name} done`),
  )
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'first' })
  expect(image).toMatch(/\/acme\/app-\d+:build-1$/)
  expect(live.imageDigest).toMatch(/^sha256:/)
  expect(live.build?.source).toEqual({ kind: 'upload' })
  const log = await readBuildLog(host.berth.platform, operator, id)
  expect(log.isComplete).toBe(true)
  expect(log.lines.map(({ text }) => text)).toEqual(
    expect.arrayContaining([
      'Unpacking the source',
      'slow-step',
      `The image is ${image}, ${live.imageDigest}.`,
    ]),
  )
  // What is deployed from now on without new source is what was built last.
  expect((await getApp(host.berth.platform, operator, app.id)).settings.image).toBe(image)
  const next = await upload(app, 'RUN echo slow-step\nCOPY index.html /www/', { 'index.html': 'second' })
  const second = await host.untilStatus(next.id, 'live')
  expect(second.build).toMatchObject({ hadCache: true, waiting: null, format: 'tar' })
  expect(await said(next.id)).not.toContain('slow-step')
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'second' })
  // What one app's builds left is no other app's, of the same team neither.
  const other = await upload(await makeApp(), 'RUN echo slow-step\nCOPY index.html /www/', {
    'index.html': 'second',
  })
  expect((await host.untilStatus(other.id, 'live')).build).toMatchObject({ hadCache: false })
  expect(await said(other.id)).toContain('slow-step')
})

test('a host without a cache of an app takes the layers that its builds left in the registry', async () => {
  const app = await makeApp()
  const steps = 'RUN echo slow-step\nCOPY index.html /www/'
  const { id } = await upload(app, steps, { 'index.html': 'first' })
  await host.untilStatus(id, 'live')
  const tags = join(
    host.registry.folder,
    `data/docker/registry/v2/repositories/acme/${app.slug}/berth-build-cache/${app.id}/_manifests/tags`,
  )
  await until('its layers are there', async () => existsSync(tags) && readdirSync(tags).length === 2)
  await host.stopWorker('SIGTERM')
  // What its cache is then: docs/builds.md.
  const db = new DatabaseSync(join(host.berth.config.home, 'engine/engine.db'))
  const name = `build-${app.id}`
  const { changes } = db
    .prepare('UPDATE volumes SET labels = ? WHERE name = ?')
    .run('{"builder.boot":"another"}', name)
  expect(changes).toBe(1)
  db.close()
  await host.startWorker()
  const next = await upload(app, steps, { 'index.html': 'second' })
  expect((await host.untilStatus(next.id, 'live')).build).toMatchObject({ hadCache: false })
  expect(await said(next.id)).not.toContain('slow-step')
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'second' })
})

test('a build that fails leaves what served, and says why', async () => {
  const app = await makeApp()
  const first = await upload(app, 'RUN echo good > /www/index.html && cat /proc/self/uid_map')
  await host.untilStatus(first.id, 'live')
  // To the team's own containers builds are nobody, too.
  expect((await said(first.id)).join('\n')).toMatch(/^ +0 +21\d{8} +65536$/m)
  const { id } = await upload(app, 'RUN echo the reason && exit 7')
  const { failure, steps } = await host.untilStatus(id, 'failed')
  expect(failure).toMatchObject({
    step: 'build',
    code: 'build-failed',
    facts: { reason: expect.stringContaining('exit') },
  })
  expect(failure?.lastLogLines).toContain('the reason')
  expect(steps).toMatchObject([{ name: 'build', status: 'failed' }])
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'good\n' })
  expect((await getApp(host.berth.platform, operator, app.id)).settings.image).toBe(first.image)
})

test('a variable that the settings name is a secret of the build, and in no line', async () => {
  const app = await makeApp()
  const value = 'tell-nobody-4711'
  const key = `begin-of-the-key\n${value}-longer\r\nend-of-the-key\n`
  await setVariables(
    host.berth.platform,
    operator,
    { appId: app.id },
    {
      set: [
        { name: 'NPM_TOKEN', value, isSecret: true },
        { name: 'SIGNING_KEY', value: key, isSecret: true },
      ],
    },
  )
  await host.berth.platform.db.app.update({
    where: { id: app.id },
    data: { settings: { ...app.settings, build: { secrets: ['NPM_TOKEN', 'SIGNING_KEY'] } } },
  })
  const { id } = await upload(
    app,
    [
      'RUN --mount=type=secret,id=NPM_TOKEN cat /run/secrets/NPM_TOKEN && grep -c tell-nobody /run/secrets/NPM_TOKEN',
      'RUN --mount=type=secret,id=SIGNING_KEY echo the key: && cat /run/secrets/SIGNING_KEY',
    ].join('\n'),
  )
  await host.untilStatus(id, 'live')
  const lines = await said(id)
  expect(lines).toEqual(expect.arrayContaining(['•••1']))
  const at = lines.indexOf('the key:')
  expect(lines.slice(at + 1, at + 4)).toEqual(['•••', '•••', '•••'])
  for (const said of [value, 'longer', 'of-the-key']) expect(lines.join('\n')).not.toContain(said)
  const failing = await upload(
    app,
    'RUN --mount=type=secret,id=NPM_TOKEN echo "error: $(cat /run/secrets/NPM_TOKEN) is wrong" && exit 1',
  )
  const { failure } = await host.untilStatus(failing.id, 'failed')
  expect(failure?.lastLogLines).toContain('error: ••• is wrong')
  expect(JSON.stringify(failure)).not.toContain(value)
})

test('a build that is called off ends at once, and the next one that waits is not held up', async () => {
  const app = await makeApp()
  const { id } = await upload(app, 'RUN echo begun && sleep 600')
  await untilSaid(id, 'begun')
  const asked = Date.now()
  await cancelDeployment(host.berth.platform, operator, id)
  await host.untilStatus(id, 'canceled')
  expect(Date.now() - asked).toBeLessThan(3_000)
  const after = await upload(app, 'RUN echo after > /www/index.html')
  await host.untilStatus(after.id, 'live')
  expect(await host.ask(app)).toMatchObject({ body: 'after\n' })
})

test('while all places are taken a build says why it waits, and a newer one of its app takes its place', async () => {
  const busy = await Promise.all([makeApp(), makeApp(), makeApp(), makeApp()])
  const running = await Promise.all(busy.map((app) => upload(app, 'RUN echo begun && sleep 600')))
  const app = await makeApp()
  const first = await upload(app, 'RUN true')
  const read = () => getDeployment(host.berth.platform, operator, first.id)
  const { build } = await until('it says why it waits', async () => {
    const now = await read()
    return now.build?.waiting === null ? false : now
  })
  expect(build?.waiting?.reason).toMatch(/host|memory/)
  const newer = await upload(app, 'RUN echo newer > /www/index.html')
  expect((await read()).status).toBe('superseded')
  for (const { id } of running) await cancelDeployment(host.berth.platform, operator, id)
  await host.untilStatus(newer.id, 'live')
  expect(await host.ask(app)).toMatchObject({ body: 'newer\n' })
})

test('a build whose worker is killed begins anew with the next worker, and its lines stay', async () => {
  const app = await makeApp()
  const { id } = await upload(app, 'RUN echo begun && sleep 5 && echo done > /www/index.html')
  await untilSaid(id, 'begun')
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  await host.untilStatus(id, 'live')
  expect(await host.ask(app)).toMatchObject({ body: 'done\n' })
  const lines = await said(id)
  expect(lines.filter((line) => line === 'begun')).toHaveLength(2)
  expect(lines).toContain('The worker was interrupted: the build begins anew.')
})
