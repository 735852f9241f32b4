import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { stopApp } from '../../platform/apps.ts'
import type { AppEventKind } from '../../platform/model/app-event-kinds.ts'
import type { App } from '../../platform/model/resources.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { isTelling } from '../../platform/worker/container-events.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { quickSettings, startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let app: App

/** Found by it among the host's processes. */
const mark = 'berth-timeline-test'
/** Serves until it is killed, or told to take all the memory that there is. */
const script = `: ${mark}; trap "exec tail /dev/zero" USR1; trap "exit 0" TERM; httpd -f -p $PORT -h /www & while :; do wait; done`

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  const image = await host.push('told', { entrypoint: ['/bin/sh', '-c', script] })
  app = await host.makeApp(image, quickSettings)
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
})
afterAll(() => host?.close())

/** Its first process, as the host sees it. */
function pidOf(): number | undefined {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .find((pid) => {
      try {
        const [program, option, text] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return program === '/bin/sh' && option === '-c' && text?.includes(mark) === true && isFirst(pid)
      } catch {
        return false
      }
    })
}

function isFirst(pid: number): boolean {
  return /^NSpid:.*\s1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

const runs = () => until('its process runs', pidOf)

async function told(kind: AppEventKind) {
  return (await listTimeline(host.berth.platform, operator, app.id, { kind })).data
}

test('a replica that ends by itself is told with how it ended, and that it was started again', async () => {
  process.kill(await runs(), 'SIGKILL')
  const [ended] = await until('its end is told', async () => {
    const found = await told('container.exited')
    return found.length > 0 ? found : null
  })
  expect(ended).toMatchObject({ actor: null, event: { signal: 'SIGKILL', replica: 0, restarts: 0 } })
  await until('its restart is told', async () => (await told('container.restarted')).length === 1)
})

test('one that takes more memory than it may is told as such, with the limit', async () => {
  process.kill(await runs(), 'SIGUSR1')
  const [killed] = await until('it is told', async () => {
    const found = await told('container.out-of-memory')
    return found.length > 0 ? found : null
  })
  expect(killed).toMatchObject({ event: { memoryBytes: 64 * 2 ** 20, replica: 0 } })
  expect(await told('container.exited')).toHaveLength(1)
})

test('what happens while no worker is there is told by the next one, once', async () => {
  await until('it runs again', async () => (await told('container.restarted')).length === 2)
  const pid = await runs()
  await host.stopWorker('SIGKILL')
  process.kill(pid, 'SIGKILL')
  await until('it is gone', () => pidOf() !== pid)
  await host.startWorker()
  await until('it is told', async () => (await told('container.exited')).length === 2)
})

test('what a deployment replaces and what somebody stops is no news', async () => {
  await until('it runs again', async () => (await host.ask(app)).status === 200)
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await stopApp(host.berth.platform, operator, app.id)
  await until('nothing of it runs', () => pidOf() === undefined)
  const { platform } = host.berth
  await until('it is known', async () => {
    const rows = await platform.db.container.findMany({ where: { appId: app.id, state: { not: 'removed' } } })
    return rows.length === 0
  })
  // The engine's last event was dealt with: what it could tell is told.
  await until('all events are read', async () => (await told('app.stopped')).length === 1)
  expect(await told('container.exited')).toHaveLength(2)
})

test('of many restarts only each so-manieth is told', () => {
  const all = Array.from({ length: 1_000 }, (_, index) => index + 1)
  expect(all.filter(isTelling)).toEqual([1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1_000])
})
