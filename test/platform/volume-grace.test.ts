/** What is deleted waits its time, as the host of the volume sees it. */
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { createDeployment } from '../../platform/deployments.ts'
import type { App } from '../../platform/model/resources.ts'
import { type Volume, volumeGraceDays } from '../../platform/model/volumes.ts'
import { createVolume, deleteVolume, getVolume, undeleteVolume } from '../../platform/volumes.ts'
import { dueVolumes, leaveVolumes, loadVolumeWork, volumeIsMade } from '../../platform/worker/volumes.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { dataVolume } from '../support/volumes.ts'

let berth: TestPlatform
let app: App
let volume: Volume

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
})
afterAll(() => berth?.close())
beforeEach(async () => {
  app = await berth.makeApp((await berth.makeTeam()).id)
  volume = await createVolume(berth.platform, operator, app.id, dataVolume)
  await volumeIsMade(berth.platform, await work())
})

async function work() {
  const found = await loadVolumeWork(berth.platform, volume.id)
  if (found === null) throw new Error('the volume is gone')
  return found
}
/** Whether its host has something to do with it, and whether that is to remove it. */
async function seen() {
  const due = await dueVolumes(berth.platform, berth.config.hostId)
  return [due.includes(volume.id), (await work()).isOver]
}
const remove = () => deleteVolume(berth.platform, operator, volume.id)
const endGrace = () =>
  berth.platform.db.volume.update({ where: { id: volume.id }, data: { purgeAt: new Date() } })

test('nothing is done with a deleted one before its time, and undoing that leaves no time', async () => {
  const { deletedAt, purgeAt } = await remove()
  expect(Date.parse(purgeAt ?? '') - Date.parse(deletedAt ?? '')).toBe(volumeGraceDays * 86_400_000)
  expect(await seen()).toEqual([false, false])
  // Asked once more it is not put off, nor hurried.
  expect((await remove()).purgeAt).toBe(purgeAt)
  await undeleteVolume(berth.platform, operator, volume.id)
  expect(await getVolume(berth.platform, operator, volume.id)).toMatchObject({
    deletedAt: null,
    purgeAt: null,
  })
  expect(await seen()).toEqual([false, false])
  await remove()
  await endGrace()
  expect(await seen()).toEqual([true, true])
})

test('one that is live, or on its way, is not over, whatever its time', async () => {
  const { db } = berth.platform
  const { id } = await createDeployment(berth.platform, operator, app.id)
  await remove()
  await endGrace()
  expect(await seen()).toEqual([true, false])
  await db.deployment.update({ where: { id }, data: { status: 'live', liveAt: new Date() } })
  await db.app.update({ where: { id: app.id }, data: { liveDeploymentId: id } })
  expect(await seen()).toEqual([true, false])
  const without = await createDeployment(berth.platform, operator, app.id)
  await db.deployment.update({ where: { id: without.id }, data: { status: 'live', liveAt: new Date() } })
  await db.deployment.update({ where: { id }, data: { status: 'superseded' } })
  await db.app.update({ where: { id: app.id }, data: { liveDeploymentId: without.id } })
  expect(await seen()).toEqual([true, true])
})

test('what an app leaves has the same time', async () => {
  const from = Date.now()
  await berth.platform.db.$transaction((tx) => leaveVolumes(tx, app.id))
  const { purgeAt } = await getVolume(berth.platform, operator, volume.id)
  expect(Date.parse(purgeAt ?? '')).toBeGreaterThanOrEqual(from + volumeGraceDays * 86_400_000)
  expect(await seen()).toEqual([false, false])
})
