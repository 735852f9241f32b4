import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createEngine } from '../../engine/index.ts'
import { getApp } from '../../platform/apps.ts'
import { cancelDeployment } from '../../platform/deployments.ts'
import { streams } from '../../platform/event-log.ts'
import type { DeploymentStatus } from '../../platform/model/deployment-status.ts'
import type { App } from '../../platform/model/resources.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

const read = (appId: string) => getApp(host.berth.platform, operator, appId)

/** What is left of an app while no worker runs: containers by the engine's books, root file systems by the kernel's. */
async function onHost(app: App): Promise<{ running: string[]; mounted: string[] }> {
  const recorded = (await read(app.id)).containers.map(({ id }) => id)
  const engine = await createEngine({ stateDir: `${host.berth.config.home}/engine` })
  try {
    const containers = await engine.containers.list({ labels: { 'berth.app': app.id } })
    const mounts = await readFile('/proc/self/mountinfo', 'utf8')
    return {
      running: containers.filter(({ status }) => status === 'running').map(({ id }) => id),
      mounted: recorded.filter((id) => mounts.includes(`/${id}/`)),
    }
  } finally {
    await engine.close()
  }
}

test.each(['pulling', 'starting', 'checking', 'routing'] satisfies DeploymentStatus[])(
  'a worker that is killed when a deployment is %s: the next one completes it and leaves nothing else',
  async (status) => {
    const app = await host.makeApp(await host.push(`before-${status}`))
    await host.untilStatus((await host.deploy(app.id)).id, 'live')
    const { id } = await host.deploy(app.id, await host.push(`after-${status}`))
    await host.untilStatus(id, status, 'live')
    await host.stopWorker('SIGKILL')
    expect((await host.ask(app)).status).toBe(200)
    await host.startWorker()
    await host.untilStatus(id, 'live')
    expect(await host.ask(app)).toMatchObject({ status: 200, body: `after-${status}` })
    await until('only the new container is recorded', async () =>
      (await read(app.id)).containers.every(
        (container) => container.deploymentId === id || container.state === 'removed',
      ),
    )
    await host.stopWorker('SIGKILL')
    expect(await onHost(app)).toEqual({ running: [`${id}-0`], mounted: [`${id}-0`] })
    await host.startWorker()
  },
)

test('a worker that is told to stop ends in time with 0 in the middle of a deployment, and apps run on', async () => {
  const app = await host.makeApp(await host.push('serving'))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const slow = await host.makeApp(await host.push('slow', { entrypoint: ['/bin/sh', '-c', 'sleep 1000'] }))
  const { id } = await host.deploy(slow.id)
  await host.untilStatus(id, 'checking')
  const { code, log } = await host.stopWorker('SIGTERM')
  expect([code, log]).toEqual([0, expect.stringContaining('apps run on')])
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'serving' })
  const before = (await read(app.id)).containers
  await host.startWorker()
  await host.untilStatus(id, 'checking')
  expect((await read(app.id)).containers).toEqual(before)
  await cancelDeployment(host.berth.platform, operator, id)
  await host.untilStatus(id, 'canceled')
})

test('what containers wrote while no worker ran is delivered once, in order, by the next', async () => {
  const app = await host.makeApp(
    await host.push('counter', {
      entrypoint: [
        '/bin/sh',
        '-c',
        'httpd -p $PORT -h /www; n=0; while :; do echo $n; n=$((n+1)); sleep 0.01; done',
      ],
    }),
  )
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const lines = async () => {
    const entries = await host.berth.platform.redis.xrange(streams.appLogs(app.id).name, '-', '+')
    return entries.map(([, fields]) => JSON.parse(fields[1] ?? '').text as string)
  }
  for (let times = 0; times < 2; times++) {
    const count = (await lines()).length
    await until('more lines came', async () => (await lines()).length > count + 20)
    await host.stopWorker('SIGKILL')
    await host.startWorker()
  }
  const seen = (await lines()).length
  await until('lines come again', async () => (await lines()).length > seen + 20)
  const all = await lines()
  expect(all).toEqual(all.map((_, n) => String(n)))
})

test('a deployment whose job was lost is found and carried out', async () => {
  const app = await host.makeApp(await host.push('lost-job'))
  await host.stopWorker('SIGTERM')
  const { id } = await host.deploy(app.id)
  const { platform, config } = host.berth
  await platform.queues.forHost(config.hostId).obliterate({ force: true })
  await host.startWorker()
  await host.untilStatus(id, 'live')
})

test('a container that vanished while no worker ran is made again', async () => {
  const app = await host.makeApp(await host.push('vanished'))
  const { id } = await host.deploy(app.id)
  await host.untilStatus(id, 'live')
  await host.stopWorker('SIGTERM')
  const engine = await createEngine({ stateDir: `${host.berth.config.home}/engine` })
  await engine.containers.remove(`${id}-0`, { force: true })
  await engine.close()
  await host.startWorker()
  await until('it answers again', async () => (await host.ask(app)).body === 'vanished')
})
