import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createEngine } from '../../engine/index.ts'
import { getApp } from '../../platform/apps.ts'
import { listDeployments } from '../../platform/deployments.ts'
import type { AppEvent } from '../../platform/model/app-event-kinds.ts'
import type { App } from '../../platform/model/resources.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { pidsOf, testHostForAll } from '../support/worker.ts'

const host = testHostForAll()

async function eventsOf<Kind extends AppEvent['kind']>(app: App, kind: Kind) {
  const { data } = await listTimeline(host.berth.platform, operator, app.id, {}, { limit: 100 })
  return data.flatMap(({ event }) =>
    event.kind === kind ? [event as Extract<AppEvent, { kind: Kind }>] : [],
  )
}

const mendedOf = async (app: App) => (await eventsOf(app, 'recovery.mended')).map(({ cause }) => cause)

async function flushRedis(): Promise<void> {
  const keys = await host.berth.platform.redis.keys('*')
  await host.berth.platform.redis.del(...keys)
}

const untilMended = (app: App, cause: string) =>
  until(`the timeline says ${cause}`, async () =>
    (await eventsOf(app, 'recovery.mended')).some((event) => event.cause === cause),
  )

/** Serves until it is told to crash, and then ends at each start. */
const crashing = (name: string) =>
  host.push(name, {
    entrypoint: [
      '/bin/sh',
      '-c',
      '[ -e /go ] && exit 42; httpd -p $PORT -h /www; until [ -e /go ]; do sleep 0.1; done; exit 42',
    ],
    files: { 'www/cgi-bin/go': '#!/bin/sh\ntouch /go; printf "Content-Type: text/plain\\r\\n\\r\\n"\n' },
  })

/** By whoever serves it now. */
const crash = (app: App) => host.ask(app, '/cgi-bin/go')

test.concurrent('a live deployment that crashes in a loop is told once, and rolled back once where the app asks for it', async () => {
  const app = await host.makeApp(await host.push('steady'), { rollbackOnCrash: true })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const bad = await host.deploy(app.id, await crashing('crasher'))
  await host.untilStatus(bad.id, 'live')
  await crash(app)
  const back = await until('Berth went back by itself', async () => {
    const { data } = await listDeployments(host.berth.platform, operator, app.id)
    return data.find(({ trigger, status }) => trigger === 'auto_rollback' && status === 'live')
  })
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'steady' })
  expect(await eventsOf(app, 'container.crash-looping')).toMatchObject([
    { deploymentId: bad.id, exitCode: 42 },
  ])
  expect(await eventsOf(app, 'deployment.rolled-back-automatically')).toMatchObject([
    { deploymentId: back.id, fromNumber: 2, toNumber: 1 },
  ])
})

test.concurrent('what was gone back to automatically stays, also when it crashes itself', async () => {
  const app = await host.makeApp(await crashing('worse'), { rollbackOnCrash: true })
  const first = await host.deploy(app.id)
  await host.untilStatus(first.id, 'live')
  await crash(app)
  // Nothing is before it: there is nothing to go back to.
  await until('it is told', async () => (await eventsOf(app, 'container.crash-looping')).length === 1)
  const second = await host.deploy(app.id, await crashing('worst'))
  await host.untilStatus(second.id, 'live')
  await crash(app)
  const back = await until('Berth goes back', async () => {
    const { data } = await listDeployments(host.berth.platform, operator, app.id)
    return data.find(({ trigger }) => trigger === 'auto_rollback')
  })
  await host.untilStatus(back.id, 'live')
  await crash(app)
  await until('all are told', async () => (await eventsOf(app, 'container.crash-looping')).length === 3)
  const { data } = await listDeployments(host.berth.platform, operator, app.id)
  expect(data.map(({ trigger }) => trigger)).toEqual(['auto_rollback', 'api', 'api'])
})

test('vanished, another boot, a new edge, a killed worker, a flushed Redis, a killed process: all is back, and the timeline says why', async () => {
  const app = await host.makeApp(await host.push('lasting'))
  const { id } = await host.deploy(app.id)
  await host.untilStatus(id, 'live')
  const stateDir = `${host.berth.config.home}/engine`
  const serves = () => until('it answers', async () => (await host.ask(app)).body === 'lasting')

  await host.stopWorker('SIGKILL')
  const engine = await createEngine({ stateDir })
  await engine.containers.remove(`${id}-0`, { force: true })
  await engine.close()
  await host.startWorker()
  await untilMended(app, 'container-missing')
  await serves()

  await host.stopWorker('SIGTERM')
  // Both the engine and the platform remember another boot.
  const db = new DatabaseSync(`${stateDir}/engine.db`)
  db.exec(`UPDATE containers SET boot_id = 'another'`)
  db.close()
  await host.berth.platform.db.host.update({
    where: { id: host.berth.config.hostId },
    data: { facts: { bootId: 'another' } },
  })
  await host.startWorker()
  await untilMended(app, 'host-rebooted')
  await serves()

  await host.restartEdge()
  await untilMended(app, 'edge-restarted')
  await serves()

  const slow = await host.push('slow', {
    entrypoint: ['/bin/sh', '-c', 'sleep 1; exec httpd -f -p $PORT -h /www'],
  })
  const cut = await host.deploy(app.id, slow)
  await host.untilStatus(cut.id, 'checking')
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  await host.untilStatus(cut.id, 'live')
  await untilMended(app, 'worker-restarted')

  // While its worker runs it, a deployment does not need its job.
  const next = await host.deploy(app.id, slow)
  await host.untilStatus(next.id, 'checking')
  await flushRedis()
  await host.untilStatus(next.id, 'live')

  await host.stopWorker('SIGTERM')
  const lost = await host.deploy(app.id, slow)
  await flushRedis()
  await host.startWorker()
  await host.untilStatus(lost.id, 'live')
  await untilMended(app, 'queue-lost')

  for (const pid of pidsOf(`${lost.id}-0`)) process.kill(pid, 'SIGKILL')
  await until('it is told', async () =>
    (await eventsOf(app, 'container.restarted')).some(({ deploymentId }) => deploymentId === lost.id),
  )
  expect((await eventsOf(app, 'container.exited'))[0]).toMatchObject({
    deploymentId: lost.id,
    signal: 'SIGKILL',
  })
  await until('it answers', async () => (await host.ask(app)).body === 'slow')
  expect((await getApp(host.berth.platform, operator, app.id)).status).toBe('running')
  expect([...new Set(await mendedOf(app))].sort()).toEqual(
    ['container-missing', 'edge-restarted', 'host-rebooted', 'queue-lost', 'worker-restarted'].sort(),
  )
})
