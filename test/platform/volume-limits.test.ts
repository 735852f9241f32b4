import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import type { App, Team } from '../../platform/model/resources.ts'
import { maxVolumeSnapshots, maxVolumes, type Volume } from '../../platform/model/volumes.ts'
import { changeQuota, getTeamUse } from '../../platform/team-use.ts'
import { createVolumeSnapshot, deleteVolumeSnapshot, restoreVolume } from '../../platform/volume-snapshots.ts'
import { createVolume, getVolume, updateVolume } from '../../platform/volumes.ts'
import {
  loadVolumeWork,
  reportVolumeUse,
  snapshotFailed,
  snapshotIsMade,
  snapshotIsRemoved,
  volumeIsMade,
} from '../../platform/worker/volumes.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { dataVolume } from '../support/volumes.ts'

const mib = 2 ** 20
let berth: TestPlatform
let team: Team
let app: App
let volume: Volume

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
})
afterAll(() => berth?.close())
beforeEach(async () => {
  team = await berth.makeTeam()
  app = await berth.makeApp(team.id)
  volume = await createVolume(berth.platform, operator, app.id, { ...dataVolume, sizeBytes: 100 * mib })
  await volumeIsMade(berth.platform, await work())
  await reportVolumeUse(berth.platform, volume.id, 30 * mib)
})

/** As its worker sees it. */
async function work() {
  const found = await loadVolumeWork(berth.platform, volume.id)
  if (found === null) throw new Error('the volume is gone')
  return found
}
const take = () => createVolumeSnapshot(berth.platform, operator, volume.id)
const limit = (diskBytes: number) => changeQuota(berth.platform, operator, team.id, { diskBytes })
const used = async () => (await getTeamUse(berth.platform, operator, team.id)).used.diskBytes

test('what is wrong with one is said at its field, with an example of a volume', async () => {
  const make = (given: object) =>
    createVolume(berth.platform, operator, app.id, { ...dataVolume, name: 'other', ...given })
  const example = 'must be an absolute path such as /var/lib/data'
  for (const [given, message] of [
    [{ mountPath: 'data' }, example],
    [{ mountPath: '/var/../etc' }, example],
    [{ mountPath: '/' }, example],
    [{ mountPath: '/proc/data' }, expect.stringMatching(/^must not be in \/proc/)],
    [{ sizeBytes: 16 * mib - 1 }, 'must be at least 16 MiB'],
  ] as const)
    await expect(make(given)).rejects.toMatchObject({
      ...{ code: 'invalid', fields: [{ path: Object.keys(given)[0], message }] },
    })
})

test('a volume has so many snapshots, also when many are asked for at once, and a restore needs the place of one', async () => {
  const made = []
  for (let each = 0; each < maxVolumeSnapshots - 2; each++) made.push(await take())
  const last = await Promise.allSettled([take(), take(), take(), take()])
  const refused = last.filter((each) => each.status === 'rejected')
  expect(refused.map(({ reason }) => reason.message)).toEqual([
    'A volume has at most 20 snapshots. Remove one first.',
    'A volume has at most 20 snapshots. Remove one first.',
  ])
  const [first, second] = made
  if (first === undefined || second === undefined) throw new Error('no snapshots')
  await snapshotIsMade(berth.platform, await work(), first.id, mib)
  await expect(restoreVolume(berth.platform, operator, first.id)).rejects.toMatchObject({ code: 'conflict' })
  await deleteVolumeSnapshot(berth.platform, operator, second.id)
  // It takes its place until its host has removed it.
  await expect(take()).rejects.toMatchObject({ code: 'conflict' })
  await snapshotIsRemoved(berth.platform, await work(), second.id)
  expect(await restoreVolume(berth.platform, operator, first.id)).toMatchObject({ task: 'restore' })
  expect((await getVolume(berth.platform, operator, volume.id)).snapshots).toHaveLength(maxVolumeSnapshots)
})

test('an app has so many volumes', async () => {
  const more = (at: number) =>
    createVolume(berth.platform, operator, app.id, {
      ...{ name: `more-${at}`, mountPath: `/more/${at}`, sizeBytes: 16 * mib },
    })
  for (let at = 1; at < maxVolumes; at++) await more(at)
  await expect(more(maxVolumes)).rejects.toMatchObject({
    code: 'conflict',
    message: `An app has at most ${maxVolumes} volumes.`,
  })
})

test('snapshots count against the disk: as much as is in the volume until they are made, then what they take', async () => {
  expect(await used()).toBe(100 * mib)
  await limit(165 * mib)
  const [one, two] = [await take(), await take()]
  expect(await used()).toBe(160 * mib)
  await expect(take()).rejects.toMatchObject({ code: 'quota-exceeded' })
  await snapshotIsMade(berth.platform, await work(), one.id, 10 * mib)
  expect(await used()).toBe(140 * mib)
  await expect(restoreVolume(berth.platform, operator, one.id)).rejects.toMatchObject({
    code: 'quota-exceeded',
  })
  // One that could not be made takes nothing.
  await snapshotFailed(berth.platform, await work(), two.id, 'no space left on device')
  expect(await used()).toBe(110 * mib)
  await restoreVolume(berth.platform, operator, one.id)
  expect(await used()).toBe(140 * mib)
})

test('a larger size counts at once, beside the snapshots', async () => {
  await limit(150 * mib)
  await take()
  await expect(
    updateVolume(berth.platform, operator, volume.id, { sizeBytes: 121 * mib }),
  ).rejects.toMatchObject({ code: 'quota-exceeded' })
  await updateVolume(berth.platform, operator, volume.id, { sizeBytes: 120 * mib })
  expect(await used()).toBe(150 * mib)
})
