/**
 * Under a steady load of real clients nothing is lost, whatever is done to the app and around it. The quick version
 * deploys twice; LOAD_DEPLOYS=20 is the whole proof (CONTRIBUTING.md).
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import { rollbackTo } from '../../platform/deployments.ts'
import type { App } from '../../platform/model/resources.ts'
import { scaleApp } from '../../platform/scale.ts'
import { startLoad } from '../support/load/clients.ts'
import { nodeImage } from '../support/node-image.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

const deploys = Number(process.env.LOAD_DEPLOYS ?? 2)
const graceMs = 1_500

let host: TestHost
let images: string[]

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  const spec = await nodeImage({
    'server.mjs': readFileSync(join(import.meta.dirname, '../support/load/server.mjs'), 'utf8'),
  })
  images = []
  for (const version of ['v1', 'v2'])
    images.push(
      await host.push(`load:${version}`, {
        ...spec,
        entrypoint: ['/bin/node', '/server.mjs'],
        env: [`VERSION=${version}`],
      }),
    )
})

afterAll(async () => {
  await host?.close()
})

const read = (app: App) => getApp(host.berth.platform, operator, app.id)

async function scaled(app: App, replicas: number): Promise<void> {
  await scaleApp(host.berth.platform, operator, app.id, { replicas })
  const now = await until('it is scaled', async () => {
    const { scale } = await read(app)
    return scale?.isPending === false && scale
  })
  expect(now).toMatchObject({ replicas, problem: null })
}

test(
  'no request is lost by deployments, a rollback, scaling, a killed worker and a restarted edge; long connections end by goodbye',
  async () => {
    const app = await host.makeApp(images[0] ?? '', {
      replicas: 2,
      stopGraceMs: graceMs,
      limits: { memoryBytes: 256 * 2 ** 20, cpuMillis: 1_000, pids: 64 },
      healthCheck: {
        path: '/',
        intervalMs: 200,
        timeoutMs: 10_000,
        startPeriodMs: 60_000,
        observationMs: 300,
      },
    })
    const first = await host.deploy(app.id)
    await host.untilStatus(first.id, 'live')
    const load = startLoad(host.berth.config.port, new URL(app.urls[0] ?? '').hostname)
    try {
      for (let count = 1; count <= deploys; count++) {
        load.phase = `deployment ${count}`
        await host.untilStatus((await host.deploy(app.id, images[count % 2])).id, 'live')
      }
      load.phase = 'rollback'
      await host.untilStatus((await rollbackTo(host.berth.platform, operator, first.id)).id, 'live')
      load.phase = 'scaling up'
      await scaled(app, 3)
      load.phase = 'scaling down'
      await scaled(app, 1)
      load.phase = 'scaling up again'
      await scaled(app, 2)
      load.phase = 'worker killed while traffic is switched'
      const cut = await host.deploy(app.id, images[1])
      await host.untilStatus(cut.id, 'routing')
      await host.stopWorker('SIGKILL')
      await host.startWorker()
      await host.untilStatus(cut.id, 'live')
      load.phase = 'edge restarted'
      await host.reloadEdge()
      load.phase = 'after the edge restarted'
      await host.untilStatus((await host.deploy(app.id, images[0])).id, 'live')
    } finally {
      const { answered, failures, goodbyes } = await load.stop()
      console.log(`answered: ${JSON.stringify(answered)}; told goodbye: ${goodbyes.length}`)
      expect(failures).toEqual([])
      for (const kind of ['keep-alive', 'one by one', 'slow', 'upload'])
        expect(answered[kind]).toBeGreaterThan(10)
      expect(new Set(goodbyes.map(({ kind }) => kind))).toEqual(new Set(['WebSocket', 'events']))
    }
  },
  60_000 + deploys * 60_000,
)
