import { expect, test } from 'vitest'
import { createEngine } from '../../engine/index.ts'
import { getApp } from '../../platform/apps.ts'
import { cancelDeployment, getDeployment } from '../../platform/deployments.ts'
import { follow, streams } from '../../platform/event-log.ts'
import { listLogs } from '../../platform/logs.ts'
import type { DeploymentStatus } from '../../platform/model/deployment-status.ts'
import type { App } from '../../platform/model/resources.ts'
import { instanceOf, leftOnHost } from '../support/engine.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { testHostForAll } from '../support/worker.ts'

const host = testHostForAll()

const read = (appId: string) => getApp(host.berth.platform, operator, appId)

/**
 * What the kernel has of this host while no worker runs: one of each for a container that runs, or it is an orphan. The
 * processes are the monitors, which hold the namespaces of theirs.
 */
async function onHost(): Promise<Record<'running' | 'mounts' | 'links' | 'cgroups' | 'monitors', number>> {
  const stateDir = `${host.berth.config.home}/engine`
  const left = leftOnHost(stateDir)
  const instance = instanceOf(stateDir)
  const engine = await createEngine({ stateDir })
  try {
    const containers = await engine.containers.list()
    const ids = containers.map(({ id }) => id)
    return {
      running: containers.filter(({ status }) => status === 'running').length,
      mounts: left.filter((line) => line.includes(' - overlay ')).length,
      links: left.filter((line) => line.startsWith(`bv${instance}-`)).length,
      cgroups: new Set(left.filter((line) => ids.includes(line))).size,
      monitors: left.filter((line) => line.includes('conmon')).length,
    }
  } finally {
    await engine.close()
  }
}

/** Deploys until the worker is dead at the very moment that was asked for; answers which deployment it left. */
async function killWhile(status: DeploymentStatus, app: App, image: string): Promise<string> {
  const { platform } = host.berth
  for (let tries = 0; tries < 10; tries++) {
    const { id } = await host.deploy(app.id, image)
    for await (const { event } of follow(platform, streams.deployment(id), {
      signal: AbortSignal.timeout(30_000),
    }))
      if (event.type === 'status' && event.status === status) break
    await host.stopWorker('SIGKILL')
    if ((await getDeployment(platform, operator, id)).status === status) return id
    await host.startWorker()
    await host.untilStatus(id, 'live')
  }
  throw new Error(`the worker was never killed while a deployment was ${status}`)
}

test.each(['pulling', 'starting', 'checking', 'routing'] satisfies DeploymentStatus[])(
  'a worker that is killed when a deployment is %s: the next one completes it and leaves nothing else',
  async (status) => {
    const app = await host.makeApp(await host.push(`before-${status}`))
    await host.untilStatus((await host.deploy(app.id)).id, 'live')
    const id = await killWhile(status, app, await host.push(`after-${status}`))
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
    const found = await onHost()
    const { running } = found
    expect(running).toBeGreaterThan(0)
    expect(found).toEqual({ running, mounts: running, links: running, cgroups: running, monitors: running })
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
    const page = await listLogs(host.berth.platform, operator, app.id, { after: 0, limit: 1_000 })
    return page.data.map(({ text }) => text)
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
