import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { deleteApp, getApp, updateApp } from '../../platform/apps.ts'
import { listAudit } from '../../platform/audit-log.ts'
import { rollbackTo } from '../../platform/deployments.ts'
import type { App } from '../../platform/model/resources.ts'
import type { Volume } from '../../platform/model/volumes.ts'
import { pendingChanges } from '../../platform/pending-changes.ts'
import { setVariables } from '../../platform/variables.ts'
import { createVolumeSnapshot, deleteVolumeSnapshot, restoreVolume } from '../../platform/volume-snapshots.ts'
import {
  createVolume,
  deleteVolume,
  getVolume,
  listLeftVolumes,
  undeleteVolume,
  updateVolume,
} from '../../platform/volumes.ts'
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

const mib = 2 ** 20

/** Adds its name to what it serves whenever it starts. */
const writer = (name: string, first = '') => ({
  entrypoint: [
    '/bin/sh',
    '-c',
    `trap "exit 0" TERM; ${first} echo ${name} >> /data/index.html; httpd -f -p $PORT -h /data & wait`,
  ],
  files: { 'data/.keep': '' },
})
const read = (id: string) => getVolume(host.berth.platform, operator, id)
const change = (id: string, input: object) => updateVolume(host.berth.platform, operator, id, input)
const onDisk = (...path: string[]) => existsSync(join(host.berth.config.home, 'engine', ...path))
const body = async (app: App) => (await host.ask(app)).body.trim().split('\n').join(' ')

async function deployed(app: App, name: string, first = ''): Promise<string> {
  const image = await host.push(`writer-${name}`, writer(name, first))
  const { id } = await host.deploy(app.id, image)
  await host.untilStatus(id, 'live')
  return id
}

async function appWithVolume(name: string, sizeBytes = dataVolume.sizeBytes) {
  const app = await host.makeApp(await host.push(`writer-${name}`, writer(name)))
  const volume = await createVolume(host.berth.platform, operator, app.id, { ...dataVolume, sizeBytes })
  return { app, volume }
}

async function idle(id: string): Promise<Volume> {
  return until('nothing is being done with the volume', async () => {
    const volume = await read(id)
    const isBusy = volume.task !== null || volume.snapshots.some(({ status }) => status === 'waiting')
    return !isBusy && volume.isMade && volume
  })
}

async function snapshotOf(id: string) {
  const made = await createVolumeSnapshot(host.berth.platform, operator, id, { note: 'then' })
  const [found] = (await idle(id)).snapshots.filter((each) => each.id === made.id)
  expect(found).toMatchObject({ status: 'ready', kind: 'asked', note: 'then' })
  return made
}

test('a volume is made, measured and kept; a snapshot is gone back to, and what was is a snapshot, too', async () => {
  const { platform } = host.berth
  const { app, volume } = await appWithVolume('one')
  expect(await idle(volume.id)).toMatchObject({ isMade: true, problem: null })
  expect(onDisk('volumes', volume.id)).toBe(true)
  await deployed(app, 'one')
  expect((await getApp(platform, operator, app.id)).stopsFirst).toBe(true)
  const then = await snapshotOf(volume.id)
  await deployed(app, 'two')
  await deployed(app, 'three')
  expect(await body(app)).toBe('one two three')

  expect(await restoreVolume(platform, operator, then.id)).toMatchObject({ task: 'restore' })
  await expect(restoreVolume(platform, operator, then.id)).rejects.toMatchObject({ code: 'conflict' })
  const restored = await idle(volume.id)
  expect(restored).toMatchObject({ problem: null })
  await until('it serves what was then', async () => (await body(app)) === 'one three')
  const [before] = restored.snapshots
  expect(before).toMatchObject({ kind: 'before-restore', status: 'ready' })
  await restoreVolume(platform, operator, before?.id ?? '')
  await idle(volume.id)
  await until('it serves what was before', async () => (await body(app)) === 'one two three three')

  await until('it is measured', async () => ((await read(volume.id)).usedBytes ?? 0) > 0)
  await deleteVolumeSnapshot(platform, operator, then.id)
  await until('the snapshot is gone', async () => !onDisk('volume-snapshots', then.id))
  const { data } = await listAudit(platform, operator, { teamId: host.teamId })
  expect(data.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['volume.create', 'volume.snapshot', 'volume.restore', 'volume.remove-snapshot']),
  )
})

test('another size: one that the content has no room in is refused at the field with the least that has, and nothing is lost', async () => {
  const { app, volume } = await appWithVolume('sized', 64 * mib)
  await deployed(app, 'sized', 'dd if=/dev/urandom of=/data/big bs=1M count=24 2>/dev/null;')
  const refused = await change(volume.id, { sizeBytes: 20 * mib }).catch((error) => error)
  const said = /^must be at least (\d+) MiB: so much its content and file system need$/
  expect(refused).toMatchObject({
    code: 'invalid',
    fields: [{ path: 'sizeBytes', message: expect.stringMatching(said) }],
  })
  const least = Number(said.exec(refused.fields[0].message)?.[1]) * mib
  // The file system needs some for itself: what is in it alone would not do.
  expect(least).toBeGreaterThan(((await read(volume.id)).usedBytes ?? 24 * mib) + mib)
  await expect(change(volume.id, { sizeBytes: least - mib })).rejects.toMatchObject({ code: 'invalid' })
  expect((await host.ask(app, '/big')).body.length).toBeGreaterThan(0)
  for (const sizeBytes of [least, 96 * mib]) {
    await change(volume.id, { sizeBytes })
    expect(await idle(volume.id)).toMatchObject({ sizeBytes, problem: null })
  }
  await until('it serves again', async () => (await host.ask(app)).status === 200)
  expect((await host.ask(app, '/big')).status).toBe(200)
})

test('where it may be mounted, and what it keeps an app from', async () => {
  const { platform } = host.berth
  const { app } = await appWithVolume('paths')
  const tried = (input: object) =>
    createVolume(platform, operator, app.id, {
      name: 'more',
      mountPath: '/more',
      sizeBytes: 16 * mib,
      ...input,
    })
  for (const mountPath of [
    '/',
    '/proc',
    '/sys/x',
    '/dev',
    '/etc/hosts',
    'rel',
    '/a/../b',
    '/data',
    '/data/x',
  ])
    await expect(tried({ mountPath }), mountPath).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: 'mountPath' }],
    })
  await expect(tried({ name: 'data' })).rejects.toMatchObject({
    code: 'conflict',
    fields: [{ path: 'name' }],
  })
  await expect(tried({ sizeBytes: 5 })).rejects.toMatchObject({ fields: [{ path: 'sizeBytes' }] })
  const file = { name: 'KEY', value: 'x', filePath: '/more/key' }
  await setVariables(platform, operator, { appId: app.id }, { set: [file] })
  await expect(tried({})).rejects.toMatchObject({ fields: [{ message: expect.stringContaining('KEY') }] })
  await expect(updateApp(platform, operator, app.id, { settings: { replicas: 2 } })).rejects.toMatchObject({
    fields: [{ path: 'settings.replicas' }],
  })
})

test('deleted, it waits: the next deployment is without it, that can be undone, and then it leaves the disk', async () => {
  const { platform } = host.berth
  const { app, volume } = await appWithVolume('gone')
  const first = await deployed(app, 'gone')
  await snapshotOf(volume.id)
  const waiting = async () => (await pendingChanges(platform, operator, app.id)).changes
  expect((await waiting()).filter(({ field }) => field.startsWith('volumes.'))).toEqual([])
  const deleted = await deleteVolume(platform, operator, volume.id)
  expect(Date.parse(deleted.purgeAt ?? '') - Date.now()).toBeGreaterThan(6.9 * 86_400_000)
  expect(await waiting()).toContainEqual(
    expect.objectContaining({ field: 'volumes.data', change: 'removed', before: '/data', after: null }),
  )
  await undeleteVolume(platform, operator, volume.id)
  expect((await waiting()).filter(({ field }) => field.startsWith('volumes.'))).toEqual([])

  await deleteVolume(platform, operator, volume.id)
  await platform.db.volume.update({ where: { id: volume.id }, data: { purgeAt: new Date() } })
  await host.stopWorker('SIGTERM')
  await host.startWorker()
  // What is live has it still.
  expect(await body(app)).toMatch(/^gone/)
  expect(onDisk('volumes', volume.id)).toBe(true)
  await deployed(app, 'without', 'mkdir -p /data;')
  expect(await body(app)).toBe('without')
  await until('it is removed', async () => !onDisk('volumes', volume.id))
  await until('its row goes', () =>
    read(volume.id).then(
      () => false,
      () => true,
    ),
  )
  await expect(rollbackTo(platform, operator, first)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('the volume data'),
  })
})

test('what a deleted app kept waits, too, and another app of the project can have it', async () => {
  const { platform } = host.berth
  const { app, volume } = await appWithVolume('kept')
  await deployed(app, 'kept')
  await deleteApp(platform, operator, app.id)
  await until('the app is gone', () =>
    getApp(platform, operator, app.id).then(
      () => false,
      () => true,
    ),
  )
  const left = await listLeftVolumes(platform, operator, app.projectId)
  expect(left).toMatchObject([{ id: volume.id, appId: null, appName: app.name }])
  expect(left[0]?.purgeAt).not.toBeNull()
  const heir = await platform.db.app.create({
    data: {
      ...{ id: 'app_heir', projectId: app.projectId, environmentId: app.environmentId },
      ...{ hostId: host.berth.config.hostId, slug: 'heir', name: 'Heir', settings: app.settings },
    },
  })
  await undeleteVolume(platform, operator, volume.id, { appId: heir.id })
  expect(await read(volume.id)).toMatchObject({ appId: heir.id, deletedAt: null })
  await host.untilStatus((await host.deploy(heir.id)).id, 'live')
  const [container] = (await getApp(platform, operator, heir.id)).containers
  expect(container?.state).toBe('running')
  await deleteApp(platform, operator, heir.id)
})

test('a worker that is killed while it copies, restores or removes: the next one carries it on', async () => {
  const { platform } = host.berth
  const { app, volume } = await appWithVolume('killed', 768 * mib)
  await deployed(app, 'killed', 'dd if=/dev/urandom of=/data/big bs=1M count=400 2>/dev/null;')
  const copied = async (path: string[]) => {
    await until('it is copied', () => onDisk(...path))
    await host.stopWorker('SIGKILL')
    await host.startWorker()
  }
  const snapshot = await createVolumeSnapshot(platform, operator, volume.id)
  await copied(['volume-snapshots', snapshot.id, 'disk.img.tmp'])
  expect((await idle(volume.id)).snapshots).toMatchObject([{ status: 'ready' }])
  expect((await host.ask(app)).status).toBe(200)
  await restoreVolume(platform, operator, snapshot.id)
  await copied(['volumes', volume.id, `next-${snapshot.id}.img.tmp`])
  expect(await idle(volume.id)).toMatchObject({ problem: null })
  await until('it serves what was then', async () => (await body(app)) === 'killed killed')
  await deleteApp(platform, operator, app.id)
  await until('the app is gone', () =>
    getApp(platform, operator, app.id).then(
      () => false,
      () => true,
    ),
  )
  await platform.db.volume.update({ where: { id: volume.id }, data: { purgeAt: new Date() } })
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  await until(
    'nothing is left of it',
    () => !onDisk('volumes', volume.id) && !onDisk('volume-snapshots', snapshot.id),
  )
}, 180_000)
