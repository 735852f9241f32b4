import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import { cancelDeployment } from '../../platform/deployments.ts'
import type { App } from '../../platform/model/resources.ts'
import { createVolume } from '../../platform/volumes.ts'
import { batchesOf, oldLeft } from '../../worker/batches.ts'
import { operator } from '../support/platform.ts'
import { cgi, named, untilAllAnswer } from '../support/replicas.ts'
import { until } from '../support/until.ts'
import { dataVolume } from '../support/volumes.ts'
import { testHostForAll } from '../support/worker.ts'

const host = testHostForAll()

const small = { limits: { memoryBytes: 32 * 2 ** 20, cpuMillis: 500, pids: 32 } }
const running = async (app: App) =>
  (await getApp(host.berth.platform, operator, app.id)).containers.filter(({ state }) => state === 'running')

/** What became of an app while the work ran: answers, and the most and least containers at once. */
async function watched(app: App, work: () => Promise<void>) {
  const over = new AbortController()
  const statuses = new Set<number>()
  const counts: number[] = []
  const asking = (async () => {
    while (!over.signal.aborted) statuses.add((await host.ask(app)).status)
  })()
  const counting = (async () => {
    while (!over.signal.aborted) {
      counts.push((await running(app)).length)
      await sleep(20)
    }
  })()
  await work().finally(() => over.abort())
  await Promise.all([asking, counting])
  return { statuses: [...statuses], most: Math.max(...counts), least: Math.min(...counts) }
}

test('batches are a quarter of the replicas, one at least, and all when nothing serves yet', () => {
  expect(batchesOf(1, true)).toEqual([[0]])
  expect(batchesOf(3, true)).toEqual([[0], [1], [2]])
  expect(batchesOf(10, true)).toEqual([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]])
  expect(batchesOf(3, false)).toEqual([[0, 1, 2]])
  expect([1, 2, 3, 4].map((made) => oldLeft({ old: 8, made, wanted: 4 }))).toEqual([6, 4, 2, 0])
  expect([1, 2, 3].map((made) => oldLeft({ old: 1, made, wanted: 3 }))).toEqual([0, 0, 0])
})

test.concurrent('four replicas are replaced one by one: at most five run, at least four serve, no request fails', async () => {
  const app = await host.makeApp(await host.push('four-1'), { ...small, replicas: 4 })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const image = await host.push('four-2')
  const { statuses, most, least } = await watched(app, async () => {
    await host.untilStatus((await host.deploy(app.id, image)).id, 'live')
  })
  expect(statuses).toEqual([200])
  expect([least, most]).toEqual([4, 5])
  expect(await host.ask(app)).toMatchObject({ body: 'four-2' })
})

test.concurrent('a replica of a later batch that does not come up: all of the previous deployment serve again', async () => {
  const app = await host.makeApp(await host.push('half-1', named('half-1')), { ...small, replicas: 3 })
  const first = await host.deploy(app.id)
  await host.untilStatus(first.id, 'live')
  const image = await host.push('half-2', {
    entrypoint: [
      '/bin/sh',
      '-c',
      'trap "exit 0" TERM; case $(hostname) in *-2) exit 7;; esac; httpd -f -p $PORT -h /www & wait',
    ],
  })
  const { statuses } = await watched(app, async () => {
    const failed = await host.untilStatus((await host.deploy(app.id, image)).id, 'failed')
    expect(failed.failure).toMatchObject({ step: 'route', code: 'exited', exitCode: 7 })
  })
  expect(statuses).toEqual([200])
  await until('three of the previous deployment run, and nothing else', async () => {
    const deployments = (await running(app)).map(({ deploymentId }) => deploymentId)
    return deployments.length === 3 && deployments.every((id) => id === first.id)
  })
  await untilAllAnswer(host, app, ['0', '1', '2'])
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'half-1' })
})

test.concurrent('a rollout that is called off between two batches gives all traffic back', async () => {
  const app = await host.makeApp(await host.push('off-1', named('off-1')), { ...small, replicas: 3 })
  const first = await host.deploy(app.id)
  await host.untilStatus(first.id, 'live')
  const second = await host.deploy(app.id, await host.push('off-2'))
  await until('the first batch took over', async () => (await host.ask(app)).body === 'off-2')
  await cancelDeployment(host.berth.platform, operator, second.id)
  await host.untilStatus(second.id, 'canceled')
  await until('the previous one serves alone', async () => {
    const deployments = (await running(app)).map(({ deploymentId }) => deploymentId)
    return deployments.length === 3 && deployments.every((id) => id === first.id)
  })
  await untilAllAnswer(host, app, ['0', '1', '2'])
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'off-1' })
})

/** Says who it is and what the volume had of it; cries when somebody else holds the volume. */
const keeper = (name: string, then = 'httpd -f -p $PORT -h /data & wait') => ({
  entrypoint: [
    '/bin/sh',
    '-c',
    `trap "rm -f /data/held; exit 0" TERM
    [ -e /data/held ] && { echo two at once; exit 9; }
    touch /data/held; echo ${name} >> /data/index.html; ${then}`,
  ],
  files: { 'data/cgi-bin/slow': cgi('sleep 0.3; echo done') },
})

// Beside others, whose containers that start and end make the worker look after this app's too.
test.concurrent('an app with a volume: one container at a time, its data stays, and the old one comes back when the new one fails', async () => {
  const app = await host.makeApp(await host.push('vol-1', keeper('one')))
  await createVolume(host.berth.platform, operator, app.id, dataVolume)
  const first = await host.deploy(app.id)
  await host.untilStatus(first.id, 'live')
  const second = await host.deploy(app.id, await host.push('vol-2', keeper('two')))
  // The old one ends for it, but not in the middle of an answer that takes less than a second.
  const over = new AbortController()
  const answers = new Set<string>()
  const asking = (async () => {
    while (!over.signal.aborted) {
      const askedAt = Date.now()
      const answer = await host.ask(app, '/cgi-bin/slow').catch(() => null)
      const isCutOff = answer === null || (answer.status === 200 && answer.body !== 'done\n')
      if (!isCutOff) answers.add(String(answer.status))
      else if (Date.now() - askedAt < 900) answers.add('cut off')
    }
  })()
  await host.untilStatus(second.id, 'live').finally(() => over.abort())
  await asking
  expect([...answers].sort()).toEqual(['200', '503'])
  expect((await host.ask(app)).body).toBe('one\ntwo\n')

  const bad = await host.push('vol-3', keeper('three', 'rm -f /data/held; exit 4'))
  const failed = await host.untilStatus((await host.deploy(app.id, bad)).id, 'failed')
  expect(failed.failure).toMatchObject({ code: 'exited', exitCode: 4 })
  // The engine may have started the failed one once more before it was taken away.
  await until('the one before serves again', async () =>
    /^one\ntwo\n(three\n)+two\n$/.test((await host.ask(app)).body),
  )
  expect((await running(app)).map(({ deploymentId }) => deploymentId)).toEqual([second.id])
})
