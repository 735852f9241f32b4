import { readdirSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { failureCodes } from '../../platform/model/failure.ts'
import type { App } from '../../platform/model/resources.ts'
import { createRegistryLogin, listRegistryLogins } from '../../platform/registries/logins.ts'
import { type HostileRegistry, serve } from '../support/hostile-registry.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

/** Failures for which something around the app has to be broken; those of apps are in causes.test.ts. */
let host: TestHost
let elsewhere: HostileRegistry
/** What the registry elsewhere answers to everybody. */
let answer: (response: ServerResponse) => void

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  elsewhere = await serve((_, response) => answer(response))
  const listed = JSON.stringify({ [elsewhere.host]: {} })
  await writeFile(join(host.berth.config.home, 'registries.json'), listed)
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
  await elsewhere?.close()
})

async function failureOf(app: App, image?: string) {
  const { id } = await host.deploy(app.id, image)
  const { failure } = await host.untilStatus(id, 'failed')
  expect(failure?.message).toMatch(/\.$/)
  return failure
}

async function serving(name: string): Promise<App> {
  const app = await host.makeApp(await host.push(name))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  return app
}

const untilServes = (app: App, name: string) =>
  until('it answers', async () => (await host.ask(app)).body === name)

test('a registry that limits pulls: how long to wait is said', async () => {
  answer = (response) => void response.writeHead(429, { 'retry-after': '7200' }).end()
  const app = await host.makeApp(`${elsewhere.host}/acme/limited:1`)
  expect(await failureOf(app)).toMatchObject({
    step: 'pull',
    code: 'registry-limited',
    message: expect.stringContaining('Deploy again in 120 minutes, or keep a login'),
    facts: { host: elsewhere.host, seconds: 7_200 },
  })
})

test('a registry that refuses a login which it took before: whose it is is said, in the settings too', async () => {
  answer = (response) => void response.writeHead(200).end()
  const login = { host: elsewhere.host, username: 'ada', password: 'secret-of-ada' }
  await createRegistryLogin(host.berth.platform, operator, host.teamId, login)
  answer = (response) => void response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end()
  const app = await host.makeApp(`${elsewhere.host}/acme/denied:1`)
  const failure = await failureOf(app)
  expect(failure).toMatchObject({
    step: 'pull',
    code: 'registry-denied',
    message: expect.stringContaining("refuses the team's login ada"),
    facts: { host: elsewhere.host, username: 'ada' },
  })
  expect(JSON.stringify(failure)).not.toContain('secret-of-ada')
  const [kept] = await listRegistryLogins(host.berth.platform, operator, host.teamId)
  expect(kept?.problem).toContain('refused')
})

test('a user that the image does not have', async () => {
  const app = await host.makeApp(await host.push('nobody', { user: 'who-is-that' }))
  expect(await failureOf(app)).toMatchObject({
    step: 'start',
    code: 'start-failed',
    facts: { reason: expect.stringContaining('who-is-that') },
  })
})

test('an edge that does not answer: what served before serves on when it is back, and the new containers go', async () => {
  const app = await serving('routed')
  const next = await host.deploy(app.id, await host.push('routed-next'))
  await host.untilStatus(next.id, 'checking')
  host.signalEdge('SIGSTOP')
  try {
    const { failure } = await host.untilStatus(next.id, 'failed')
    expect(failure).toMatchObject({
      step: 'route',
      code: 'route-failed',
      message: expect.stringContaining('Traffic could not be switched'),
      facts: { reason: expect.stringContaining('HAProxy') },
    })
  } finally {
    host.signalEdge('SIGCONT')
  }
  await untilServes(app, 'routed')
  const { platform } = host.berth
  await until('its containers are gone', async () => {
    const left = await platform.db.container.count({
      where: { deploymentId: next.id, state: { not: 'removed' } },
    })
    return left === 0
  })
  await untilServes(app, 'routed')
})

test('a deployment that a worker left for longer than anybody waits', async () => {
  const app = await serving('left')
  const next = await host.deploy(
    app.id,
    await host.push('left-next', { entrypoint: ['/bin/sh', '-c', 'sleep 1000'] }),
  )
  await host.untilStatus(next.id, 'checking')
  await host.stopWorker('SIGKILL')
  const longAgo = new Date(Date.now() - 3 * 3_600_000)
  await host.berth.platform.db.deployment.update({ where: { id: next.id }, data: { createdAt: longAgo } })
  await host.startWorker()
  expect((await host.untilStatus(next.id, 'failed')).failure).toMatchObject({
    step: 'queue',
    code: 'interrupted',
  })
  await untilServes(app, 'left')
})

test('what Berth did not expect: a key of its own that is gone', async () => {
  const app = await serving('keyless')
  const key = join(host.berth.config.home, 'secrets/registry.key.pem')
  await rename(key, `${key}.away`)
  try {
    expect(await failureOf(app)).toMatchObject({ step: 'pull', code: 'internal' })
  } finally {
    await rename(`${key}.away`, key)
  }
  await untilServes(app, 'keyless')
})

/** Those of builds are provoked where builds are. */
const isOfBuilds = (code: string) => code === 'dockerfile-missing' || code.startsWith('build-')

test('each code is provoked for real in a test of the worker', () => {
  const tests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  const all = tests.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\n')
  const codes = failureCodes.filter((code) => !isOfBuilds(code))
  expect(codes.filter((code) => !all.includes(`code: '${code}'`))).toEqual([])
})
