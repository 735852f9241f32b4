import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { setAppAlertRule } from '../../platform/alerts/rules.ts'
import type { App } from '../../platform/model/resources.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { quickSettings, startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let app: App

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  const script = 'httpd -f -p $PORT -h /www & trap "exit 0" TERM; (sleep 3; kill -9 $!) & wait $!; exit 1'
  const image = await host.push('restless', { entrypoint: ['/bin/sh', '-c', script] })
  app = await host.makeApp(image, { ...quickSettings })
  const rule = { id: app.id, rule: 'restarts' }
  await setAppAlertRule(host.berth.platform, operator, rule, { threshold: 1, forSeconds: 60 })
})
afterAll(() => host?.close())

test('the worker judges the alerts of its apps by itself', { timeout: 90_000 }, async () => {
  await host.deploy(app.id)
  const [fired] = await until(
    'the restart is told as an alert',
    async () => {
      const { data } = await listTimeline(host.berth.platform, operator, app.id, { kind: 'alert.fired' })
      return data.length > 0 ? data : null
    },
    60_000,
  )
  expect(fired?.event).toMatchObject({ rule: 'restarts', threshold: 1, forSeconds: 60 })
})
