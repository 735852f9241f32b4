import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import { cancelDeployment, getDeployment } from '../../platform/deployments.ts'
import type { App, Deployment } from '../../platform/model/resources.ts'
import { createVolume } from '../../platform/volumes.ts'
import { operator } from '../support/platform.ts'
import { named, untilAllAnswer } from '../support/replicas.ts'
import { until } from '../support/until.ts'
import { dataVolume } from '../support/volumes.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

/** Calling a deployment off, in each state that it can be in: releasing is in release.test.ts. */
let host: TestHost
let stalling: StallingRegistry

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  stalling = await startStallingRegistry(host.registry.port)
  const listed = JSON.stringify({ [stalling.host]: {} })
  await writeFile(join(host.berth.config.home, 'registries.json'), listed)
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
  stalling?.close()
})

interface StallingRegistry {
  host: string
  /** Downloads of layers that wait. */
  waiting(): number
  close(): void
}

/** The registry behind it, but that layers never come. */
async function startStallingRegistry(port: number): Promise<StallingRegistry> {
  const waiting = new Set<object>()
  const server: Server = createServer((request, response) => {
    if (request.url?.includes('/blobs/') && request.method === 'GET') {
      waiting.add(response)
      response.once('close', () => waiting.delete(response))
      response.writeHead(200, { 'content-length': 1_000_000 }).write('x')
      return
    }
    void fetch(`http://127.0.0.1:${port}${request.url}`, {
      method: request.method,
      headers: { accept: String(request.headers.accept ?? '*/*') },
    }).then(async (answer) => {
      const headers = ['content-type', 'docker-content-digest'].flatMap((name) => {
        const value = answer.headers.get(name)
        return value === null ? [] : [[name, value] as const]
      })
      response.writeHead(answer.status, Object.fromEntries(headers))
      response.end(Buffer.from(await answer.arrayBuffer()))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    waiting: () => waiting.size,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const read = (app: App) => getApp(host.berth.platform, operator, app.id)
const cancel = ({ id }: Deployment) => cancelDeployment(host.berth.platform, operator, id)

/** Deploys what is to be called off once it is there; answers how it ended. */
async function calledOffAt(deployment: Deployment, status: Deployment['status']): Promise<Deployment> {
  await host.untilStatus(deployment.id, status)
  await cancel(deployment)
  return host.untilStatus(deployment.id, 'canceled')
}

async function untilAlone(app: App, live: Deployment): Promise<void> {
  await until('only the old containers are there', async () => {
    const { containers } = await read(app)
    return containers.length > 0 && containers.every(({ deploymentId }) => deploymentId === live.id)
  })
}

/** It does not end when it is told to. */
const stubborn = ['/bin/sh', '-c', 'trap "" TERM; while :; do httpd -f -p $PORT -h /www; done']

test('while it waits: at once, and it never began', async () => {
  const app = await host.makeApp(await host.push('queue', { entrypoint: ['/bin/sh', '-c', 'sleep 1000'] }))
  const first = await host.deploy(app.id)
  await host.untilStatus(first.id, 'checking')
  const waiting = await host.deploy(app.id)
  expect((await cancel(waiting)).status).toBe('canceled')
  // A newer one takes the place of one that waits.
  const [older, newer] = [await host.deploy(app.id), await host.deploy(app.id)]
  expect((await getDeployment(host.berth.platform, operator, older.id)).status).toBe('superseded')
  expect((await cancel(newer)).status).toBe('canceled')
  await calledOffAt(first, 'checking')
  for (const { id } of [waiting, older, newer])
    expect((await getDeployment(host.berth.platform, operator, id)).steps).toEqual([])
  await expect(cancel(first)).rejects.toMatchObject({ code: 'conflict' })
})

test('while it pulls: its downloads end, and what served before serves on', async () => {
  const app = await host.makeApp(await host.push('pulled'))
  const live = await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await host.push('stalled', { files: { 'www/noise': String(Math.random()) } })
  const stalled = await host.deploy(app.id, `${stalling.host}/acme/stalled:latest`)
  await until('its layers are waited for', () => stalling.waiting() > 0)
  const canceled = await calledOffAt(stalled, 'pulling')
  expect(canceled.steps).toMatchObject([{ name: 'pull', status: 'canceled' }])
  await until('nobody waits for them any more', () => stalling.waiting() === 0)
  expect((await host.ask(app)).body).toBe('pulled')
  await untilAlone(app, live)
})

test('while it starts: at once, though the old container that holds the volume takes its time to end; that one serves again', async () => {
  const spec = { entrypoint: stubborn }
  const app = await host.makeApp(await host.push('held', spec), { stopGraceMs: 3_000 })
  await createVolume(host.berth.platform, operator, app.id, dataVolume)
  const live = await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const [before] = (await read(app)).containers
  const next = await host.deploy(app.id, await host.push('held-next', spec))
  await until('the old one is told to end', async () => (await host.ask(app)).status === 503)
  const canceled = await calledOffAt(next, 'starting')
  expect(canceled.steps.at(-1)).toMatchObject({ name: 'start', status: 'canceled' })
  // It has not ended yet: nobody waited for that.
  const [old] = (await read(app)).containers.filter(({ deploymentId }) => deploymentId === live.id)
  expect(old).toMatchObject({ state: 'running', startedAt: before?.startedAt })
  await until('it serves again', async () => (await host.ask(app)).body === 'held')
  await untilAlone(app, live)
})

test('while it takes over: at once, though an old replica takes its time to end; all of the old ones serve again', async () => {
  const spec = { entrypoint: stubborn }
  const app = await host.makeApp(await host.push('both', { ...spec, ...named('both') }), {
    stopGraceMs: 3_000,
    replicas: 2,
  })
  const live = await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const next = await host.deploy(app.id, await host.push('both-next', spec))
  const canceled = await calledOffAt(next, 'routing')
  expect(canceled.steps.at(-1)).toMatchObject({ name: 'route', status: 'canceled' })
  await untilAlone(app, live)
  await until('two of them run', async () => {
    const { containers, liveDeploymentId } = await read(app)
    const running = containers.filter(({ state }) => state === 'running')
    return running.length === 2 && liveDeploymentId === live.id
  })
  await untilAllAnswer(host, app, ['0', '1'])
  const bodies = new Set<string>()
  for (let n = 0; n < 10; n++) bodies.add((await host.ask(app)).body)
  expect([...bodies]).toEqual(['both'])
})
