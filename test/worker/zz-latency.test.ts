import { afterAll, beforeAll, inject, test } from 'vitest'
import { getDeployment } from '../../platform/deployments.ts'
import { operator } from '../support/platform.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const t = Date.now()
  await host.startWorker()
  console.log('worker start', Date.now() - t)
})
afterAll(async () => {
  await host?.close()
})
test('latency', async () => {
  const image = await host.push('fast')
  for (let n = 0; n < 6; n++) {
    const app = await host.makeApp(image)
    await new Promise((r) => setTimeout(r, 1500))
    const t = Date.now()
    const { id } = await host.deploy(app.id)
    const queued = Date.now() - t
    while ((await host.ask(app)).status !== 200) await new Promise((r) => setTimeout(r, 5))
    const first = Date.now() - t
    await host.untilStatus(id, 'live')
    const d = await getDeployment(host.berth.platform, operator, id)
    console.log(
      n,
      { queued, first, live: Date.now() - t },
      d.steps
        .map(
          (s) =>
            `${s.name} +${Date.parse(s.startedAt) - t} ${Date.parse(s.finishedAt ?? '') - Date.parse(s.startedAt)}`,
        )
        .join(', '),
    )
  }
  for (let n = 0; n < 3; n++) {
    const t = Date.now()
    await host.stopWorker('SIGTERM')
    const s = Date.now()
    await host.startWorker()
    console.log('stop', s - t, 'start', Date.now() - s)
  }
  for (let n = 0; n < 3; n++) {
    const t = Date.now()
    await host.stopWorker('SIGKILL')
    const s = Date.now()
    await host.startWorker()
    console.log('kill', s - t, 'start', Date.now() - s)
  }
})
