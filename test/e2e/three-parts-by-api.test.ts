import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Domain } from '../../platform/model/domains.ts'
import type { App, Deployment, Project } from '../../platform/model/resources.ts'
import type { CronJob, RunDetail } from '../../platform/model/runs.ts'
import type { Volume, VolumeSnapshot } from '../../platform/model/volumes.ts'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import {
  databaseUrl,
  makeShop,
  password,
  type Shop,
  shopNames,
  signingKey,
  startWorldNames,
} from '../support/shop.ts'
import { until } from '../support/until.ts'

// A real application of three parts (web, worker, PostgreSQL with a volume), through the API alone; each test goes on
// where the last stopped.
let names: Awaited<ReturnType<typeof startWorldNames>>
let berth: BerthHome
let shop: Shop
let db: App
let web: App
let volume: Volume

beforeAll(async () => {
  names = await startWorldNames()
  berth = await makeBerthHome()
  await berth.up()
  shop = await makeShop(berth, names)
})

afterAll(async () => {
  await shop?.close()
  await berth?.close()
  await names?.close()
})

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await berth.api(method, path, body)
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body as T
}

async function deploy(app: App): Promise<Deployment> {
  const { id } = await ask<Deployment>('POST', `/apps/${app.id}/deployments`, {})
  const done = await until(`${app.name} is deployed`, async () => {
    const now = await ask<Deployment>('GET', `/deployments/${id}`)
    return ['live', 'failed'].includes(now.status) && now
  })
  expect(done).toMatchObject({ status: 'live', failure: null })
  return done
}

async function ended(id: string): Promise<RunDetail> {
  return until('the run is over', async () => {
    const now = await ask<RunDetail>('GET', `/runs/${id}`)
    return now.finishedAt !== null && now
  })
}

test('a database with a volume, and a shop with a release command, a worker and a key in a file, linked by a private name', async () => {
  const project = await ask<Project>('POST', '/teams/main/projects', { name: 'Shop' })
  db = await ask<App>('POST', `/projects/${project.id}/apps`, {
    name: 'db',
    settings: { image: shop.images.postgres, port: 5432 },
    variables: [{ name: 'POSTGRES_PASSWORD', value: password, isSecret: true }],
  })
  volume = await ask<Volume>('POST', `/apps/${db.id}/volumes`, {
    ...{ name: 'data', mountPath: '/var/lib/postgresql/data', sizeBytes: 256 * 2 ** 20 },
  })
  web = await ask<App>('POST', `/projects/${project.id}/apps`, {
    name: 'shop',
    settings: {
      image: shop.images.shop,
      release: { command: ['node', 'migrate.mjs'] },
      healthCheck: { path: '/healthy' },
    },
    variables: [
      { name: 'DATABASE_URL', value: databaseUrl },
      { name: 'SIGNING_KEY', value: signingKey, isSecret: true, filePath: '/run/secrets/signing.key' },
    ],
  })
  await ask('PUT', `/apps/${web.id}/processes/worker`, { command: ['node', 'worker.mjs'] })
  await deploy(db)
  const { steps } = await deploy(web)
  expect(steps.find(({ name }) => name === 'release')).toMatchObject({ status: 'done' })
})

test('it is served on two names with certificates of a real authority', async () => {
  await ask('PUT', '/admin/acme', {
    ...{ directoryUrl: shop.pebble.directoryUrl, authority: shop.pebble.authority, termsAgreed: true },
  })
  for (const name of shopNames) {
    const { id, record } = await ask<Domain>('POST', `/apps/${web.id}/domains`, { name })
    await names.show(name, record ?? { name: '', value: '' })
    expect(await ask<Domain>('POST', `/domains/${id}/check`)).toMatchObject({ verifiedBy: 'record' })
  }
  await shop.expectOpen('lamp')
  expect(shop.pebble.issued()).toBe(2)
})

test('a nightly job is run now', async () => {
  const job = await ask<CronJob>('POST', `/apps/${web.id}/cron-jobs`, {
    ...{ name: 'nightly', schedule: '0 3 * * *', timeZone: 'Europe/Berlin' },
    command: ['node', 'nightly.mjs'],
  })
  expect(new Date(job.nextAt ?? 0).getTime()).toBeGreaterThan(Date.now())
  const run = await ended((await ask<RunDetail>('POST', `/cron-jobs/${job.id}/run`)).id)
  expect(run).toMatchObject({ status: 'succeeded', exitCode: 0, cronJobName: 'nightly' })
  expect(run.log.map(({ text }) => text)).toEqual(['1 orders'])
  expect(await shop.ask('/reports')).toEqual([{ orders: 1 }])
})

test('a snapshot is taken, everything is destroyed, and the restore brings all of it back', async () => {
  const { id } = await ask<VolumeSnapshot>('POST', `/volumes/${volume.id}/snapshots`, { note: 'before' })
  const read = () => ask<Volume>('GET', `/volumes/${volume.id}`)
  const isReady = ({ status }: VolumeSnapshot) => status === 'ready'
  await until('the snapshot is there', async () => (await read()).snapshots.every(isReady))
  const run = await ask<RunDetail>('POST', `/apps/${web.id}/runs`, { command: ['node', 'destroy.mjs'] })
  expect(await ended(run.id)).toMatchObject({ status: 'succeeded' })
  await until('the orders are gone', async () => (await shop.ask('/orders')) === null)
  await ask('POST', `/volume-snapshots/${id}/restore`)
  await until('the orders are back', async () => {
    const orders = (await shop.ask('/orders')) as unknown[] | null
    return orders?.length === 1
  })
  expect(await shop.ask('/orders')).toEqual([{ item: 'lamp', packed_by: 'worker' }])
  expect(await shop.ask('/reports')).toEqual([{ orders: 1 }])
  await shop.expectOpen('chair')
  expect(await read()).toMatchObject({ task: null, problem: null })
})

test('no secret is found in what is shown of it', async () => {
  const shown = await Promise.all(
    [
      `/apps/${web.id}`,
      `/apps/${web.id}/variables`,
      `/apps/${db.id}/variables`,
      `/apps/${web.id}/deployments`,
    ].map((path) => ask('GET', path)),
  )
  for (const secret of [password, 'of the shop']) expect(JSON.stringify(shown)).not.toContain(secret)
})
