import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createEngine } from '../../engine/index.ts'
import { getApp } from '../../platform/apps.ts'
import { listDeployments } from '../../platform/deployments.ts'
import type { AppEvent } from '../../platform/model/app-event-kinds.ts'
import type { App } from '../../platform/model/resources.ts'
import { listTimeline } from '../../platform/timeline.ts'
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

async function eventsOf<Kind extends AppEvent['kind']>(app: App, kind: Kind) {
  const { data } = await listTimeline(host.berth.platform, operator, app.id, {}, { limit: 100 })
  return data.flatMap(({ event }) =>
    event.kind === kind ? [event as Extract<AppEvent, { kind: Kind }>] : [],
  )
}

const untilMended = (app: App, cause: string) =>
  until(`the timeline says ${cause}`, async () =>
    (await eventsOf(app, 'recovery.mended')).some((event) => event.cause === cause),
  )

/** Serves for as long as it takes to be live, then ends again and again until somebody takes /tmp away with it. */
const crashing = (name: string) =>
  host.push(name, {
    entrypoint: [
      '/bin/sh',
      '-c',
      '[ -e /crash ] && exit 42; touch /crash; httpd -p $PORT -h /www; sleep 1.5; exit 42',
    ],
  })

test('a live deployment that crashes in a loop is told once, and rolled back once where the app asks for it', async () => {
  const app = await host.makeApp(await host.push('steady'), { rollbackOnCrash: true })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const bad = await host.deploy(app.id, await crashing('crasher'))
  await host.untilStatus(bad.id, 'live')
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

test('what was gone back to automatically stays, also when it crashes itself', async () => {
  const app = await host.makeApp(await crashing('worse'), { rollbackOnCrash: true })
  const first = await host.deploy(app.id)
  await host.untilStatus(first.id, 'live')
  // Nothing is before it: there is nothing to go back to.
  await until('it is told', async () => (await eventsOf(app, 'container.crash-looping')).length === 1)
  const second = await host.deploy(app.id, await crashing('worst'))
  await host.untilStatus(second.id, 'live')
  await until('both are told', async () => (await eventsOf(app, 'container.crash-looping')).length >= 3)
  const { data } = await listDeployments(host.berth.platform, operator, app.id)
  expect(data.map(({ trigger }) => trigger)).toEqual(['auto_rollback', 'api', 'api'])
})

test('killed behind our back, vanished, another boot, a flushed Redis, a new edge: all is back, and the timeline says why', async () => {
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
  const next = await host.deploy(app.id, slow)
  await host.untilStatus(next.id, 'checking')
  const keys = await host.berth.platform.redis.keys('*')
  await host.berth.platform.redis.del(...keys)
  await host.untilStatus(next.id, 'live')
  expect((await getApp(host.berth.platform, operator, app.id)).status).toBe('running')
})
