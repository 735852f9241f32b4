import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import { deleteTeam, restoreTeam } from '../../platform/team-deletion.ts'
import { createVolumeSnapshot } from '../../platform/volume-snapshots.ts'
import { createVolume, getVolume } from '../../platform/volumes.ts'
import { purgeTeams } from '../../platform/worker/purge-teams.ts'
import { removeNamespace } from '../../worker/remove-namespace.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { dataVolume } from '../support/volumes.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
})
afterAll(() => host?.close())

test('apps of a deleted team stop, run again when it is restored, and leave nothing, no volume either, when the grace is over', async () => {
  const { platform, config } = host.berth
  const app = await host.makeApp(await host.push('shop'))
  const volume = await createVolume(platform, operator, app.id, dataVolume)
  const kept = (...path: string[]) => existsSync(join(config.home, 'engine', ...path))
  await until('its volume is there', async () => (await getVolume(platform, operator, volume.id)).isMade)
  const snapshot = await createVolumeSnapshot(platform, operator, volume.id)
  await until('so is its snapshot', () => kept('volume-snapshots', snapshot.id))
  const { id } = await host.deploy(app.id)
  await host.untilStatus(id, 'live')
  const containers = () =>
    platform.db.container.count({ where: { appId: app.id, state: { not: 'removed' } } })

  await deleteTeam(platform, operator, host.teamId, { confirm: 'Acme' })
  await until('its containers are gone', async () => (await containers()) === 0)
  await until('its address says that it is stopped', async () => (await host.ask(app)).status === 503)

  await restoreTeam(platform, operator, host.teamId)
  await until('it answers again', async () => (await host.ask(app)).body === 'shop')
  expect(await getApp(platform, operator, app.id)).toMatchObject({ status: 'running', liveDeploymentId: id })

  const images = join(config.home, 'registry/data/docker/registry/v2/repositories')
  await mkdir(join(images, 'acme/shop/_manifests'), { recursive: true })
  await mkdir(join(images, 'acme-2/shop/_manifests'), { recursive: true })
  await deleteTeam(platform, operator, host.teamId, { confirm: 'acme' })
  const purge = () =>
    purgeTeams(platform, { removeImages: (namespace) => removeNamespace(config.home, namespace) })
  await purge()
  expect(await platform.db.app.count()).toBe(1)
  expect(kept('volumes', volume.id)).toBe(true)
  await platform.db.team.update({ where: { id: host.teamId }, data: { purgeAt: new Date(0) } })
  await purge()
  await until('its app is gone', async () => (await platform.db.app.count()) === 0)
  expect(existsSync(join(images, 'acme'))).toBe(true)
  // Its volumes have no grace of their own.
  await purge()
  await until('its volume is gone', async () => (await platform.db.volume.count()) === 0)
  expect([kept('volumes', volume.id), kept('volume-snapshots', snapshot.id)]).toEqual([false, false])
  await purge()
  expect(existsSync(join(images, 'acme'))).toBe(false)
  expect(existsSync(join(images, 'acme-2/shop'))).toBe(true)
  expect(await platform.db.team.count({ where: { id: host.teamId } })).toBe(0)
  await until('its address is unknown', async () => (await host.ask(app)).status === 404)
  // Its slug is free again.
  expect((await host.berth.makeTeam('Acme')).slug).toBe('acme')
})
