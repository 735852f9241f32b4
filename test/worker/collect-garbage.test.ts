import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { deleteApp, getApp } from '../../platform/apps.ts'
import { rollbackTo } from '../../platform/deployments.ts'
import { enqueue } from '../../platform/jobs.ts'
import { keptImages } from '../../platform/worker/kept-images.ts'
import { regularly } from '../../worker/regularly.ts'
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
