import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { createApp, deleteApp, startApp, stopApp, updateApp } from '../../platform/apps.ts'
import {
  buildPlaceSeconds,
  giveBuildPlaceBack,
  renewBuildPlace,
  takeBuildPlace,
} from '../../platform/build-places.ts'
import { createDeployment, rollbackTo } from '../../platform/deployments.ts'
import { newId } from '../../platform/model/ids.ts'
import type { Project, Team } from '../../platform/model/resources.ts'
import { checkQuota } from '../../platform/quotas.ts'
import { changeQuota, getTeamUse } from '../../platform/team-use.ts'
import { logLimits, reportLogUse } from '../../platform/worker/log-use.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

const mebibyte = 2 ** 20
let berth: TestPlatform
let team: Team
let project: Project

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
})
afterAll(() => berth?.close())

beforeEach(async () => {
  team = await berth.makeTeam()
  project = await berth.makeProject(team.id)
})

const limit = (quota: object) => changeQuota(berth.platform, operator, team.id, quota)
const use = async () => (await getTeamUse(berth.platform, operator, team.id)).used
const deploy = (id: string) => createDeployment(berth.platform, operator, id)

let made = 0

function make(mebibytes = 100, replicas = 1) {
  const limits = { memoryBytes: mebibytes * mebibyte, cpuMillis: 250 }
  const settings = { image: 'registry.example/app:1', replicas, limits }
  return createApp(berth.platform, operator, project.id, { name: `App ${++made}`, settings })
}

/** As its worker would report it. */
async function becomeLive(appId: string, deploymentId: string): Promise<void> {
  const { db } = berth.platform
  const data = { status: 'live' as const, liveAt: new Date(), imageDigest: `sha256:${'a'.repeat(64)}` }
  await db.deployment.update({ where: { id: deploymentId }, data })
  await db.app.update({ where: { id: appId }, data: { liveDeploymentId: deploymentId } })
}

/** How many of the attempts went through; the others must have been refused for the quota. */
async function successes(attempts: Promise<unknown>[]): Promise<number> {
  const results = await Promise.allSettled(attempts)
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'quota-exceeded' })
  }
  return results.filter(({ status }) => status === 'fulfilled').length
}

test('of many who want the last places at once exactly as many get one as there are', async () => {
  await limit({ apps: 3 })
  expect(await successes(Array.from({ length: 8 }, () => make()))).toBe(3)
  expect((await use()).apps).toBe(3)
})

test('of many deployments at once exactly those fit whose memory fits', async () => {
  const apps = await Promise.all(Array.from({ length: 6 }, () => make(100, 2)))
  await limit({ memoryBytes: 700 * mebibyte })
  expect(await successes(apps.map(({ id }) => deploy(id)))).toBe(3)
  expect(await use()).toMatchObject({ memoryBytes: 600 * mebibyte, cpuMillis: 1_500 })
})

test('what an app has counts as its own: replaced it needs only what is more, stopped and deleted nothing', async () => {
  const app = await make(100, 2)
  await limit({ memoryBytes: 300 * mebibyte, cpuMillis: 10_000 })
  const first = await deploy(app.id)
  await becomeLive(app.id, first.id)
  await deploy(app.id)
  expect((await use()).memoryBytes).toBe(200 * mebibyte)

  await updateApp(berth.platform, operator, app.id, { settings: { replicas: 3 } })
  await deploy(app.id)
  expect((await use()).memoryBytes).toBe(300 * mebibyte)
  // The largest that may still come about counts, so going back is free.
  await rollbackTo(berth.platform, operator, first.id)

  await stopApp(berth.platform, operator, app.id)
  expect((await use()).memoryBytes).toBe(0)
  const other = await make(200)
  await deploy(other.id)
  await expect(startApp(berth.platform, operator, app.id)).rejects.toMatchObject({ code: 'quota-exceeded' })
  await expect(deploy(app.id)).rejects.toMatchObject({ code: 'quota-exceeded' })
  await expect(rollbackTo(berth.platform, operator, first.id)).rejects.toMatchObject({
    code: 'quota-exceeded',
  })
  await deleteApp(berth.platform, operator, other.id)
  await startApp(berth.platform, operator, app.id)
  expect(await use()).toMatchObject({ apps: 1, memoryBytes: 200 * mebibyte, cpuMillis: 500 })
})

test('who scales beyond the quota is told when he saves, with what there is; other changes are let through', async () => {
  const app = await make(100, 2)
  await deploy(app.id)
  await limit({ memoryBytes: 250 * mebibyte, cpuMillis: 500 })
  const scale = (settings: object) => updateApp(berth.platform, operator, app.id, { settings })
  await expect(scale({ replicas: 3 })).rejects.toMatchObject({
    code: 'quota-exceeded',
    message:
      "The team's apps may take 250 MiB of memory and have taken 200 MiB; this needs 100 MiB more. Free some of it, or ask an administrator of the installation to raise the team's quota.",
  })
  await expect(scale({ limits: { cpuMillis: 500 } })).rejects.toMatchObject({ code: 'quota-exceeded' })
  await scale({ image: 'registry.example/app:2', limits: { memoryBytes: 125 * mebibyte } })
})

test('a lowered quota stops nothing and lets nothing more begin', async () => {
  const app = await make(100, 2)
  await deploy(app.id)
  await limit({ apps: 1, memoryBytes: 50 * mebibyte })
  await deploy(app.id)
  await expect(make()).rejects.toMatchObject({ code: 'quota-exceeded' })
  expect(await use()).toMatchObject({ apps: 1, memoryBytes: 200 * mebibyte })
  await limit({ apps: null, memoryBytes: null })
  await deploy((await make(1_000)).id)
})

test('volumes take disk, and what would take more is refused', async () => {
  const app = await make()
  await limit({ diskBytes: 10_000 })
  const take = (bytes: number) =>
    berth.platform.db.$transaction(async (tx) => {
      await checkQuota(tx, team.id, { diskBytes: bytes })
      const { id: appId, name: appName, projectId } = app
      const volume = { id: newId('volume'), mountPath: '/data', sizeBytes: BigInt(bytes), hostId: 'local' }
      const place = { teamId: team.id, projectId, appId, appName }
      await tx.volume.create({ data: { ...volume, ...place, name: volume.id } })
    })
  expect(await successes([take(4_000), take(4_000), take(4_000)])).toBe(2)
  expect((await use()).diskBytes).toBe(8_000)
})

test('what logs take is told by their host and counted, and the host is told whose logs are limited', async () => {
  const [one, other] = [await berth.makeApp(team.id), await berth.makeApp((await berth.makeTeam()).id)]
  await reportLogUse(berth.platform, { [one.id]: 5_000, [other.id]: 7, app_gone: 1 })
  await reportLogUse(berth.platform, { [one.id]: 6_000 })
  expect((await use()).logBytes).toBe(6_000)
  expect(await logLimits(berth.platform, [one.id, other.id])).toEqual([])
  await limit({ logBytes: 4_000 })
  expect(await logLimits(berth.platform, [one.id, other.id])).toEqual([{ appIds: [one.id], maxBytes: 4_000 }])
  await limit({ logBytes: null })
})

test('builds at once: one gets the last place, the others wait, and one that died gives it back', async () => {
  await limit({ builds: 2 })
  const { platform } = berth
  const take = (id: string) => takeBuildPlace(platform, team.id, `${team.id}-${id}`)
  const ids = ['a', 'b', 'c', 'd']
  const taken = await Promise.all(ids.map(take))
  expect(taken.filter(Boolean)).toHaveLength(2)
  expect((await use()).builds).toBe(2)
  const mine = ids[taken.indexOf(true)] ?? ''
  const lost = ids[taken.indexOf(false)] ?? ''
  // Of the same build once more: it has its place.
  expect(await take(mine)).toBe(true)
  expect(await take(lost)).toBe(false)
  await giveBuildPlaceBack(platform, `${team.id}-${mine}`)
  expect(await take(lost)).toBe(true)

  const past = new Date(Date.now() - buildPlaceSeconds * 1_000)
  await platform.db.buildPlace.updateMany({ where: { teamId: team.id }, data: { expiresAt: past } })
  expect(await renewBuildPlace(platform, `${team.id}-${lost}`)).toBe(false)
  expect(await Promise.all(['e', 'f', 'g'].map(take))).toEqual(expect.arrayContaining([true, true, false]))
  await limit({ builds: null })
  expect(await Promise.all(['h', 'i', 'j'].map(take))).toEqual([true, true, true])
})

test('administrators of the installation set quotas, of teams that are not theirs too; members only read them', async () => {
  const owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
  const viewer = await berth.makeUser({ teamId: team.id, role: 'viewer' })
  const stranger = await berth.makeUser()
  const { platform } = berth
  await expect(changeQuota(platform, owner.viewer, team.id, { apps: 9 })).rejects.toMatchObject({
    code: 'forbidden',
  })
  await platform.db.user.update({ where: { id: stranger.id }, data: { isAdmin: true } })
  await changeQuota(platform, stranger.viewer, team.slug, { apps: 9, memoryBytes: 2 ** 34 })
  await changeQuota(platform, stranger.viewer, team.id, { apps: 8 })
  const limits = {
    apps: 8,
    memoryBytes: 2 ** 34,
    cpuMillis: null,
    diskBytes: null,
    logBytes: null,
    builds: null,
    ports: null,
  }
  expect((await getTeamUse(platform, viewer.viewer, team.id)).limits).toEqual(limits)
  await expect(changeQuota(platform, operator, team.id, { apps: -1 })).rejects.toMatchObject({
    code: 'invalid',
  })
})
