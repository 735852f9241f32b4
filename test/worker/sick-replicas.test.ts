import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import type { App } from '../../platform/model/resources.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { pidsOf, startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let app: App

/** Says which replica it is, answers its health check until it is told not to, and is told by who reaches it alone. */
const plain = 'printf "Content-Type: text/plain\\r\\n\\r\\n"'
const files = {
  'www/cgi-bin/name': `#!/bin/sh\n${plain}; hostname\n`,
  'www/cgi-bin/health': `#!/bin/sh\n[ -e /tmp/sick ] && printf "Status: 503 Sick\\r\\n"; ${plain}; echo well\n`,
  'www/cgi-bin/sicken': `#!/bin/sh\ntouch /tmp/sick; ${plain}\n`,
  'www/cgi-bin/heal': `#!/bin/sh\nrm -f /tmp/sick; ${plain}\n`,
}

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  app = await host.makeApp(await host.push('replicas', { files }), {
    replicas: 2,
    limits: { memoryBytes: 32 * 2 ** 20, cpuMillis: 500, pids: 64 },
    healthCheck: {
      path: '/cgi-bin/health',
      intervalMs: 200,
      timeoutMs: 500,
      retries: 1,
      startPeriodMs: 8_000,
      observationMs: 200,
    },
  })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
})

afterAll(async () => {
  await host?.close()
})

/** The second replica, as the host reaches it. */
async function second() {
  return host.berth.platform.db.container.findFirstOrThrow({
    where: { appId: app.id, replica: 1, state: 'running', port: { not: null } },
  })
}

async function tell(what: 'sicken' | 'heal'): Promise<void> {
  const { address, port } = await second()
  expect((await fetch(`http://${address}:${port}/cgi-bin/${what}`)).status).toBe(200)
}

/** Which replicas answer; anything but an answer of one is told as it is. */
async function answering(times = 12): Promise<string[]> {
  const seen = new Set<string>()
  for (let count = 0; count < times; count++) {
    const { status, body } = await host.ask(app, '/cgi-bin/name')
    seen.add(status === 200 ? (body.trim().split('-').at(-1) ?? '') : String(status))
  }
  return [...seen].sort()
}

const untilBothAnswer = () => until('both answer', async () => (await answering()).join() === '0,1')

async function healthEvents() {
  const { data } = await listTimeline(host.berth.platform, operator, app.id, { kind: 'health' })
  return data.map(({ event }) => event)
}

/** Traffic moves first; the timeline tells of it a moment later. */
const untilTold = (kind: string) =>
  until(`${kind} is told`, async () => (await healthEvents())[0]?.kind === kind)

test('a replica that answers 503 gets no requests until it is well, and the timeline tells of both', async () => {
  await untilBothAnswer()
  await tell('sicken')
  await until('only the first answers', async () => (await answering()).join() === '0')
  await untilTold('health.failing')
  expect(await healthEvents()).toMatchObject([
    { kind: 'health.failing', replica: 1, reason: '/cgi-bin/health answered 503' },
  ])
  await tell('heal')
  await untilBothAnswer()
  await untilTold('health.recovered')
  expect(await healthEvents()).toMatchObject([
    { kind: 'health.recovered', replica: 1, afterMs: expect.any(Number) },
    { kind: 'health.failing' },
  ])
  expect(
    (await getApp(host.berth.platform, operator, app.id)).containers.map(({ restarts }) => restarts),
  ).toEqual([0, 0])
})

test('a replica that accepts and never answers is taken out of traffic, and comes back when it goes on', async () => {
  const { id } = await second()
  const pids = pidsOf(id)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  try {
    await until('it is told', async () => (await healthEvents())[0]?.kind === 'health.failing')
    expect((await healthEvents())[0]).toMatchObject({ replica: 1, reason: 'no answer within 500 ms' })
    expect(await answering()).toEqual(['0'])
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
  await untilBothAnswer()
})

test('when no replica is well, all get requests: an app that answers badly is better than none', async () => {
  for (const { address, port } of await host.berth.platform.db.container.findMany({
    where: { appId: app.id, state: 'running' },
  }))
    await fetch(`http://${address}:${port}/cgi-bin/sicken`)
  await until('both fail', async () => {
    const [last, before] = await healthEvents()
    return last?.kind === 'health.failing' && before?.kind === 'health.failing'
  })
  expect(await answering()).toEqual(['0', '1'])
  for (const { address, port } of await host.berth.platform.db.container.findMany({
    where: { appId: app.id, state: 'running' },
  }))
    await fetch(`http://${address}:${port}/cgi-bin/heal`)
  await untilBothAnswer()
})

test('a replica that is killed under load costs no request, and is back', async () => {
  const over = new AbortController()
  const statuses = new Set<number>()
  const load = Array.from({ length: 6 }, async () => {
    while (!over.signal.aborted) {
      statuses.add((await host.ask(app, '/cgi-bin/name')).status)
      await sleep(10)
    }
  })
  const { id } = await second()
  for (const pid of pidsOf(id)) killIfThere(pid)
  await until('it was started again', async () => {
    const { containers } = await getApp(host.berth.platform, operator, app.id)
    return containers.some(
      ({ replica, restarts, state }) => replica === 1 && restarts > 0 && state === 'running',
    )
  })
  await untilBothAnswer()
  over.abort()
  await Promise.all(load)
  expect([...statuses]).toEqual([200])
})

/** What answers a request ends by itself at any moment. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
