import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { deleteApp, getApp, startApp, stopApp } from '../../platform/apps.ts'
import { cancelDeployment, getDeployment } from '../../platform/deployments.ts'
import { streams } from '../../platform/event-log.ts'
import { stepFacts } from '../../platform/model/deployment-step.ts'
import { hasFacts } from '../../platform/model/facts.ts'
import { failureFacts } from '../../platform/model/failure.ts'
import type { App, Deployment } from '../../platform/model/resources.ts'
import { setVariables } from '../../platform/variables.ts'
import { operator } from '../support/platform.ts'
import { freePort } from '../support/registry.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
/** Listed by the operator, and not there. */
let downPort: number

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  downPort = await freePort()
  const listed = JSON.stringify({ [`localhost:${downPort}`]: {} })
  await writeFile(join(host.berth.config.home, 'registries.json'), listed)
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

const read = (appId: string) => getApp(host.berth.platform, operator, appId)

test('an image that was pushed becomes an app that answers, with every step recorded', async () => {
  const app = await host.makeApp(await host.push('first'))
  await setVariables(
    host.berth.platform,
    operator,
    { appId: app.id },
    {
      set: [{ name: 'GREETING', value: 'secret word', isSecret: true }],
    },
  )
  const { id } = await host.deploy(app.id)
  const live = await host.untilStatus(id, 'live')
  expect(live.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'pull done',
    'start done',
    'check done',
    'route done',
    'retire done',
  ])
  for (const { name, facts } of live.steps) expect(hasFacts(facts, stepFacts[name] ?? [])).toBe(true)
  expect(live.imageDigest).toMatch(/^sha256:/)
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'first' })
  const found = await read(app.id)
  expect(found).toMatchObject({ status: 'running', liveDeploymentId: id })
  expect(found.containers).toMatchObject([{ deploymentId: id, state: 'running', replica: 0 }])
})

test('a second deployment takes over without a failed request, and the first one is gone', async () => {
  const app = await host.makeApp(await host.push('v1'), { replicas: 2 })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const stop = new AbortController()
  const statuses = new Set<number>()
  const load = (async () => {
    while (!stop.signal.aborted) statuses.add((await host.ask(app)).status)
  })()
  const second = await host.deploy(app.id, await host.push('v2'))
  await host.untilStatus(second.id, 'live')
  expect((await host.ask(app)).body).toBe('v2')
  stop.abort()
  await load
  expect([...statuses]).toEqual([200])
  const found = await read(app.id)
  expect(
    found.containers.filter(({ state }) => state !== 'removed').map(({ deploymentId }) => deploymentId),
  ).toEqual([second.id, second.id])
})

const failures: {
  title: string
  image: () => Promise<string>
  settings?: Parameters<TestHost['makeApp']>[1]
  failure: object
}[] = [
  {
    title: 'a wrong image name',
    image: async () => `${host.berth.config.registryHost}/acme/no-such-thing:1`,
    failure: { step: 'pull', code: 'image-not-found' },
  },
  {
    title: 'a registry that is down',
    image: async () => `localhost:${downPort}/acme/away:1`,
    failure: { step: 'pull', code: 'registry-unavailable', message: expect.stringContaining('refuses') },
  },
  {
    title: 'a port of the host itself',
    image: async () => `localhost:${host.registry.port}/acme/private:1`,
    failure: { step: 'pull', code: 'image-access-denied' },
  },
  {
    title: 'a blob that is not what its digest says',
    image: corruptImage,
    failure: { step: 'pull', code: 'image-invalid', message: expect.stringContaining('its digest says') },
  },
  {
    title: 'an image that exits at once',
    image: () => host.push('quitter', { entrypoint: ['/bin/sh', '-c', 'echo no luck; exit 3'] }),
    failure: { code: 'exited', exitCode: 3, signal: null, oomKilled: false, lastLogLines: ['no luck'] },
  },
  {
    title: 'an image that uses too much memory',
    image: () => host.push('hungry', { entrypoint: ['/bin/sh', '-c', 'tail -f /dev/zero'] }),
    failure: { code: 'out-of-memory', exitCode: 137, signal: 'SIGKILL', oomKilled: true },
  },
  {
    title: 'an image that never listens',
    image: () => host.push('mute', { entrypoint: ['/bin/sh', '-c', 'echo thinking; sleep 1000'] }),
    settings: { healthCheck: { startPeriodMs: 3_000, observationMs: 300 } },
    failure: { step: 'check', code: 'not-listening', lastLogLines: ['thinking'] },
  },
  {
    title: 'an app that fails its health check',
    image: () => host.push('ill'),
    settings: { healthCheck: { path: '/health', startPeriodMs: 3_000, observationMs: 300 } },
    failure: { step: 'check', code: 'unhealthy', message: expect.stringContaining('/health answered 404') },
  },
]

/** Its registry has the disk's word for it, and the disk lies. */
async function corruptImage(): Promise<string> {
  const text = randomBytes(1_000).toString('hex')
  const reference = await host.push('spoilt', { files: { noise: text }, compress: 'none' })
  const files = execFileSync('grep', ['-rlaF', '--', text, join(host.registry.folder, 'data')])
  for (const file of files.toString().trim().split('\n')) {
    const bytes = await readFile(file)
    bytes.fill('x', bytes.indexOf(text), bytes.indexOf(text) + 1)
    await writeFile(file, bytes)
  }
  return reference
}

test.each(failures)(
  '$title: it ends failed with its true cause, and what served before serves on',
  async (given) => {
    const app = await host.makeApp(await host.push('steady', { files: steady }), given.settings)
    const good = await host.deploy(app.id)
    await host.untilStatus(good.id, 'live')
    const before = (await read(app.id)).containers
    const answers = askOnAndOn(app)
    const bad = await host.deploy(app.id, await given.image())
    const failed = await host.untilStatus(bad.id, 'failed')
    expect(failed.failure).toMatchObject(given.failure)
    expect(failed.failure?.message).toMatch(/\.$/)
    const { facts, code } = failed.failure ?? { facts: {}, code: 'internal' }
    expect(hasFacts(facts, failureFacts[code])).toBe(true)
    expect(failed.steps.at(-1)).toMatchObject({ status: 'failed' })
    await until('its containers are gone', async () =>
      (await read(app.id)).containers.every(
        (container) => container.deploymentId === good.id || container.state === 'removed',
      ),
    )
    expect(await host.ask(app)).toMatchObject({ status: 200, body: 'steady' })
    expect(await answers.stop()).toEqual(['200 steady'])
    const after = await read(app.id)
    expect(after).toMatchObject({ status: 'running', liveDeploymentId: good.id })
    expect(after.containers.filter(({ deploymentId }) => deploymentId === good.id)).toEqual(before)
  },
)

const steady = { 'www/index.html': 'steady', 'www/health': 'well' }

/** Requests through the edge, one after the other, until it is stopped: tells which answers there were. */
function askOnAndOn(app: App): { stop(): Promise<string[]> } {
  const over = new AbortController()
  const seen = new Set<string>()
  const asking = (async () => {
    while (!over.signal.aborted) {
      const { status, body } = await host.ask(app)
      seen.add(`${status} ${body}`)
    }
  })()
  return {
    async stop() {
      over.abort()
      await asking
      return [...seen]
    },
  }
}

test('a first deployment that fails leaves nothing, and its address says so', async () => {
  const app = await host.makeApp(
    await host.push('first-quitter', { entrypoint: ['/bin/sh', '-c', 'exit 3'] }),
  )
  await host.untilStatus((await host.deploy(app.id)).id, 'failed')
  expect(await read(app.id)).toMatchObject({ status: 'failed', liveDeploymentId: null })
  await until('its containers are gone', async () =>
    (await read(app.id)).containers.every(({ state }) => state === 'removed'),
  )
  await until('the edge says that it does not run', async () => (await host.ask(app)).status === 503)
})

test("a container's files have their usual modes, whatever umask the worker was started with", async () => {
  const script =
    'umask; stat -c "%a %u %n" / /etc/hosts /etc/hostname /etc/resolv.conf /dev /dev/shm /work /work/deep; exit 1'
  const image = await host.push('modes', {
    entrypoint: ['/bin/sh', '-c', script],
    user: '1000',
    workingDir: '/work/deep',
  })
  const app = await host.makeApp(image)
  const failed = await host.untilStatus((await host.deploy(app.id)).id, 'failed')
  expect(failed.failure?.lastLogLines).toEqual([
    '0022',
    '755 0 /',
    '644 65534 /etc/hosts',
    '644 65534 /etc/hostname',
    '644 65534 /etc/resolv.conf',
    '755 0 /dev',
    '1777 0 /dev/shm',
    '755 1000 /work',
    '755 1000 /work/deep',
  ])
})

test('a deployment that is canceled while it is checked is called off and leaves nothing', async () => {
  const app = await host.makeApp(await host.push('slow', { entrypoint: ['/bin/sh', '-c', 'sleep 1000'] }))
  const { id } = await host.deploy(app.id)
  await host.untilStatus(id, 'checking')
  await cancelDeployment(host.berth.platform, operator, id)
  const canceled = await host.untilStatus(id, 'canceled')
  expect(canceled.steps.at(-1)).toMatchObject({ name: 'check', status: 'canceled' })
  await until('its containers are gone', async () =>
    (await read(app.id)).containers.every(({ state }) => state === 'removed'),
  )
})

test('stop answers 503 at the address, start brings the same deployment back, delete leaves 404', async () => {
  const app = await host.makeApp(await host.push('toggle'))
  const { id } = await host.deploy(app.id)
  await host.untilStatus(id, 'live')
  await stopApp(host.berth.platform, operator, app.id)
  await until('it is stopped', async () => {
    const { containers } = await read(app.id)
    return containers.every(({ state }) => state === 'removed')
  })
  const stopped = await host.ask(app)
  expect(stopped.status).toBe(503)
  expect(stopped.body).toContain('This app is stopped')
  await startApp(host.berth.platform, operator, app.id)
  await until('it answers again', async () => (await host.ask(app)).body === 'toggle')
  expect(await read(app.id)).toMatchObject({ status: 'running', liveDeploymentId: id })
  await deleteApp(host.berth.platform, operator, app.id)
  await until('its address is unknown', async () => (await host.ask(app)).status === 404)
  await expect(read(app.id)).rejects.toMatchObject({ code: 'not-found' })
})

test('a container that ends is started again, and gets traffic when it answers', async () => {
  const app = await host.makeApp(
    await host.push('phoenix', {
      entrypoint: [
        '/bin/sh',
        '-c',
        'httpd -p $PORT -h /www; while ! test -e /tmp/die; do sleep 0.1; done; rm /tmp/die',
      ],
      files: {
        'www/index.html': 'phoenix',
        'www/cgi-bin/die': '#!/bin/sh\ntouch /tmp/die\necho; echo bye\n',
      },
    }),
  )
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await host.ask(app, '/cgi-bin/die')
  await until('it was started again', async () =>
    (await read(app.id)).containers.some(({ restarts }) => restarts > 0),
  )
  await until('it answers again', async () => (await host.ask(app)).status === 200)
})

test('every line that a container writes is delivered once and in order', async () => {
  const count = 3_000
  const app = await host.makeApp(
    await host.push('chatty', { entrypoint: ['/bin/sh', '-c', `seq 1 ${count}; httpd -f -p $PORT -h /www`] }),
  )
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const { redis } = host.berth.platform
  const lines = await until('all lines are there', async () => {
    const entries = await redis.xrange(streams.appLogs(app.id).name, '-', '+')
    return entries.length >= count && entries.map(([, fields]) => JSON.parse(fields[1] ?? '').text)
  })
  expect(lines).toEqual(Array.from({ length: count }, (_, n) => String(n + 1)))
})

test('deployments of one app run one after the other, and the newest wins', async () => {
  const app = await host.makeApp(await host.push('race'))
  const all: Deployment[] = []
  for (let n = 0; n < 4; n++) all.push(await host.deploy(app.id))
  const last = all.at(-1)
  if (last === undefined) throw new Error('no deployments')
  await host.untilStatus(last.id, 'live')
  const others = await Promise.all(
    all.slice(0, -1).map(({ id }) => getDeployment(host.berth.platform, operator, id)),
  )
  for (const { status } of others) expect(status).toBe('superseded')
  expect((await read(app.id)).liveDeploymentId).toBe(last.id)
})
