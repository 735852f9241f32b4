import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { deleteApp, getApp, updateApp } from '../../platform/apps.ts'
import { listDeployments, rollbackTo } from '../../platform/deployments.ts'
import { enqueue } from '../../platform/jobs.ts'
import type { Deployment } from '../../platform/model/resources.ts'
import { planRollback } from '../../platform/rollback-plan.ts'
import { setVariables } from '../../platform/variables.ts'
import { keptImages } from '../../platform/worker/kept-images.ts'
import { regularly } from '../../worker/regularly.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { quickSettings, testHostForAll, webServer } from '../support/worker.ts'

const host = testHostForAll()

/** Looks into the engine's database from outside. */
function withDatabase<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(host.berth.config.home, 'engine/engine.db'))
  try {
    return work(db)
  } finally {
    db.close()
  }
}

const imagesOnHost = () =>
  withDatabase((db) => db.prepare('SELECT digest FROM images').all()).map(({ digest }) => String(digest))

test('images of deployments that can be gone back to are kept, and those of deleted apps go', async () => {
  const { platform, config } = host.berth
  const app = await host.makeApp(await host.push('kept-1'))
  const first = await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const second = await host.untilStatus((await host.deploy(app.id, await host.push('kept-2'))).id, 'live')
  const other = await host.makeApp(await host.push('deleted'))
  const gone = await host.untilStatus((await host.deploy(other.id)).id, 'live')
  const kept = [first.imageDigest, second.imageDigest].sort()
  expect((await keptImages(platform, config.hostId)).sort()).toEqual([...kept, gone.imageDigest].sort())
  await deleteApp(platform, operator, other.id)
  await until('the app is gone', () =>
    getApp(platform, operator, other.id).then(
      () => false,
      () => true,
    ),
  )
  expect((await keptImages(platform, config.hostId)).sort()).toEqual(kept)

  await host.stopWorker('SIGTERM')
  withDatabase((db) => db.exec('UPDATE images SET used_at = 0'))
  await host.startWorker()
  expect(imagesOnHost()).toContain(gone.imageDigest)
  expect(await enqueue(platform, config.hostId, 'collect-garbage', { hostId: config.hostId })).toBe(true)
  await until('the image of the deleted app is gone', () => !imagesOnHost().includes(gone.imageDigest ?? ''))
  expect(imagesOnHost().sort()).toEqual(kept)
  const back = await rollbackTo(platform, operator, first.id)
  await host.untilStatus(back.id, 'live')
  expect((await host.ask(app)).body).toBe('kept-1')
})

test('as many deployments are kept as the app says: a rollback to one needs no registry, to another it does', async () => {
  const { platform, config } = host.berth
  const app = await host.makeApp(await host.push('versions-1'), { keptDeployments: 2 })
  const deployments: Deployment[] = []
  for (const version of [1, 2, 3, 4, 5]) {
    const set = [{ name: 'GREETING', value: `hello ${version}`, isSecret: false }]
    await setVariables(platform, operator, { appId: app.id }, { set })
    await updateApp(platform, operator, app.id, { settings: { limits: { pids: 60 + version } } })
    const { id } = await host.deploy(app.id, await host.push(`versions-${version}`, withGreeting(version)))
    deployments.push(await host.untilStatus(id, 'live'))
  }
  const [first, , third, fourth, last] = deployments
  if (!first || !third || !fourth || !last) throw new Error('five were made')
  const listed = await listDeployments(platform, operator, app.id)
  expect(listed.data.map(({ rollback }) => rollback)).toEqual([null, 'kept', 'kept', 'pull', 'pull'])

  await host.stopWorker('SIGTERM')
  withDatabase((db) => db.exec('UPDATE images SET used_at = 0'))
  await host.startWorker()
  await enqueue(platform, config.hostId, 'collect-garbage', { hostId: config.hostId })
  await until('the first image is gone', () => !imagesOnHost().includes(first.imageDigest ?? ''))
  const mine = deployments.map(({ imageDigest }) => imagesOnHost().includes(imageDigest ?? ''))
  expect(mine).toEqual([false, false, true, true, true])

  const plan = await planRollback(platform, operator, third.id)
  expect(plan).toMatchObject({ toNumber: 3, fromNumber: 5, isSameImage: false, isKept: true })
  expect(plan.image.to).toEqual({ reference: third.image, digest: third.imageDigest })
  expect(plan.changes).toEqual([
    { field: 'settings.limits.pids', before: 65, after: 63 },
    { field: 'variables.GREETING', before: 'hello 5', after: 'hello 3' },
  ])
  expect(await planRollback(platform, operator, first.id)).toMatchObject({ isKept: false })

  await host.registry.stop()
  const asked = performance.now()
  const back = await rollbackTo(platform, operator, third.id)
  const live = await host.untilStatus(back.id, 'live')
  const started = live.steps.find(({ name }) => name === 'start')
  process.stdout.write(
    `rollback to a kept deployment: ${Math.round(performance.now() - asked)} ms in all, ${quickSettings.healthCheck?.observationMs} of them observation; containers started in ${Date.parse(started?.finishedAt ?? '') - Date.parse(started?.startedAt ?? '')} ms\n`,
  )
  expect(live).toMatchObject({ imageDigest: third.imageDigest, settings: { limits: { pids: 63 } } })
  expect((await host.ask(app)).body.trim()).toBe('version 3 says hello 3')
  // What is kept has moved on with it, and what the registry would be needed for says so.
  const after = await listDeployments(platform, operator, app.id)
  expect(after.data.map(({ rollback }) => rollback)).toEqual([null, 'kept', 'kept', 'pull', 'pull', 'pull'])
  const far = await rollbackTo(platform, operator, first.id)
  const failed = await host.untilStatus(far.id, 'failed')
  expect(failed.failure).toMatchObject({ step: 'pull', code: 'registry-unavailable' })
  expect((await host.ask(app)).body.trim()).toBe('version 3 says hello 3')
})

/** An app that says which image it is of, and what it was told. */
function withGreeting(version: number) {
  const says = `version ${version} says $GREETING`
  return {
    entrypoint: ['/bin/sh', '-c', `echo "${says}" > /www/index.html; ${webServer[2]}`],
    files: { 'www/nothing': String(version) },
  }
}

test('regular work goes on after a failure and ends with the signal', async () => {
  const stop = new AbortController()
  const failures: unknown[] = []
  let times = 0
  await regularly(
    1,
    stop.signal,
    async () => {
      times++
      if (times === 1) throw new Error('once')
      if (times === 3) stop.abort()
    },
    (error) => failures.push(error),
  )
  expect(times).toBe(3)
  expect(failures).toMatchObject([{ message: 'once' }])
})
