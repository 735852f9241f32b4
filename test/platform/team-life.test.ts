import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { createApp, getApp, listApps } from '../../platform/apps.ts'
import { inProgressStatuses } from '../../platform/deployment-cancel.ts'
import { createDeployment, getDeployment } from '../../platform/deployments.ts'
import { followTeam } from '../../platform/follow-events.ts'
import { changeRole, leaveTeam, removeMember } from '../../platform/members.ts'
import { newId } from '../../platform/model/ids.ts'
import type { Team } from '../../platform/model/resources.ts'
import { issueRegistryToken } from '../../platform/registry/grant.ts'
import { viewerFromToken } from '../../platform/sessions.ts'
import {
  deleteTeam,
  findDeletedTeam,
  graceDays,
  listDeletedTeams,
  restoreTeam,
} from '../../platform/team-deletion.ts'
import { createTeam, getTeam, listTeams, renameTeam } from '../../platform/teams.ts'
import { createTeamToken } from '../../platform/tokens.ts'
import { desiredRoutes } from '../../platform/worker/desired-routes.ts'
import { desiredApp } from '../../platform/worker/desired-state.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
let owner: TestUser
let admin: TestUser

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  berth = await openTestPlatform(servers, { registryKey: true })
})
afterAll(() => berth?.close())

beforeEach(async () => {
  team = await berth.makeTeam()
  owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
  admin = await berth.makeUser({ teamId: team.id, role: 'admin' })
})

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'allowed',
    (error) => error.code,
  )
}

let moves = 0
const newSlug = () => `moved-${++moves}`

describe('a team that moves', () => {
  test('is found at every address that it had, and no other team gets one of them', async () => {
    const { platform } = berth
    const first = team.slug
    const [second, third] = [newSlug(), newSlug()]
    await renameTeam(platform, admin.viewer, team.id, { slug: second })
    expect(await renameTeam(platform, admin.viewer, team.id, { name: 'Third', slug: third })).toMatchObject({
      ...{ name: 'Third', slug: third, imageNamespace: first },
    })
    for (const slug of [first, second, third])
      expect(await getTeam(platform, owner.viewer, slug)).toMatchObject({ id: team.id, slug: third })
    for (const slug of [first, second, third])
      expect(await codeOf(createTeam(platform, operator, { name: 'X', slug }))).toBe('conflict')
    const other = await berth.makeTeam()
    expect(await codeOf(renameTeam(platform, operator, other.id, { slug: second }))).toBe('conflict')
    const name = first.replace('-', ' ')
    expect((await createTeam(platform, operator, { name })).slug).toBe(`${first}-2`)
    expect((await renameTeam(platform, admin.viewer, team.id, { slug: first })).slug).toBe(first)
    const stranger = await berth.makeUser()
    expect(await codeOf(getTeam(platform, stranger.viewer, second))).toBe('not-found')
  })

  test('of two that want one address at once one gets it', async () => {
    const other = await berth.makeTeam()
    const slug = newSlug()
    const wants = [team, other].map(({ id }) => codeOf(renameTeam(berth.platform, operator, id, { slug })))
    expect((await Promise.all(wants)).sort()).toEqual(['allowed', 'conflict'])
    expect(await codeOf(renameTeam(berth.platform, operator, other.id, { slug: 'api' }))).toBe('invalid')
  })

  test("keeps its apps' host names and its images' names, and gives new apps the new address", async () => {
    const { platform } = berth
    const app = await berth.makeApp(team.id, { name: 'Web' })
    const slug = newSlug()
    await renameTeam(platform, owner.viewer, team.id, { slug })
    expect((await getApp(platform, operator, app.id)).urls).toEqual(app.urls)
    const settings = { image: 'registry.example/app:1' }
    const added = await createApp(platform, operator, app.projectId, { name: 'Blog', settings })
    expect(added.urls).toEqual([`http://blog-${slug}.localhost:7080`])
    const access = async (scope: string) => {
      const { token } = await issueRegistryToken(platform, { viewer: owner.viewer, scopes: [scope] })
      return decodeJwt(token).access
    }
    expect(await access(`repository:${team.slug}/shop:pull,push`)).toMatchObject([
      { actions: ['pull', 'push'] },
    ])
    expect(await access(`repository:${slug}/shop:pull,push`)).toEqual([])
  })
})

describe('the last owner', () => {
  test('two owners who leave at the same time: one stays', async () => {
    const { platform } = berth
    const second = await berth.makeUser({ teamId: team.id, role: 'owner' })
    const [a, b] = [owner, second]
    const attempts: (() => Promise<unknown>)[] = [
      () => leaveTeam(platform, a.viewer, team.id),
      () => leaveTeam(platform, b.viewer, team.id),
      () => changeRole(platform, a.viewer, team.id, b.id, { role: 'viewer' }),
      () => removeMember(platform, b.viewer, team.id, a.id),
    ]
    await Promise.allSettled(attempts.map((attempt) => attempt()))
    expect(await platform.db.membership.count({ where: { teamId: team.id, role: 'owner' } })).toBe(1)
  })
})

describe('a deleted team', () => {
  const remove = (confirm = team.name) => deleteTeam(berth.platform, owner.viewer, team.id, { confirm })

  test('goes by its name only, and by an owner only', async () => {
    const { platform } = berth
    expect(await codeOf(remove('something'))).toBe('invalid')
    expect(await codeOf(deleteTeam(platform, admin.viewer, team.id, { confirm: team.name }))).toBe(
      'forbidden',
    )
    const gone = await remove()
    const days = (Date.parse(gone.purgeAt ?? '') - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(graceDays - 0.01)
    expect(await codeOf(remove())).toBe('not-found')
  })

  test('is nobody’s to see, by any address, id, token or stream; its apps stop and its deployments are called off', async () => {
    const { platform, config } = berth
    const app = await berth.makeApp(team.id)
    const deployment = await createDeployment(platform, operator, app.id)
    const { secret } = await createTeamToken(platform, owner.viewer, team.id, { name: 'ci' })
    await platform.db.repository.create({
      data: { id: newId('repository'), teamId: team.id, name: 'open', isPublic: true },
    })
    await remove()
    const token = await viewerFromToken(platform, secret, { viaEdge: true, address: '192.0.2.1' })
    if (token === null) throw new Error('the token is nobody')
    // Its images too, also those that everybody could pull.
    const scopes = [`repository:${team.slug}/open:pull,push`]
    for (const viewer of [null, owner.viewer, token, operator]) {
      const given = await issueRegistryToken(platform, { viewer, scopes })
      expect(decodeJwt(given.token).access).toEqual([])
    }
    for (const viewer of [owner.viewer, admin.viewer, token, operator]) {
      const signal = AbortSignal.timeout(5_000)
      for (const attempt of [
        () => getTeam(platform, viewer, team.id),
        () => getTeam(platform, viewer, team.slug),
        () => getApp(platform, viewer, app.id),
        () => listApps(platform, viewer, { teamId: team.id }),
        () => createDeployment(platform, viewer, app.id),
        () => getDeployment(platform, viewer, deployment.id),
        () => followTeam(platform, viewer, team.id, { signal }),
      ])
        expect(await codeOf(attempt())).toBe('not-found')
    }
    expect((await listTeams(platform, owner.viewer)).data).toEqual([])
    const row = await platform.db.deployment.findUniqueOrThrow({ where: { id: deployment.id } })
    expect(row.status).toBe('canceled')
    expect(await desiredApp(platform, config.hostId, app.id)).toMatchObject({ desiredState: 'stopped' })
    const routes = await desiredRoutes(platform, config.hostId)
    expect(routes.filter(({ appId }) => appId === app.id)).toMatchObject([{ state: 'stopped', servers: [] }])
  })

  test('has no deployment in progress, also where some are asked for at the same time', async () => {
    const { platform } = berth
    const apps = await Promise.all(Array.from({ length: 4 }, () => berth.makeApp(team.id)))
    const deploy = () => apps.map(({ id }) => createDeployment(platform, owner.viewer, id))
    await Promise.allSettled([...deploy(), remove(), ...deploy()])
    const where = { app: { project: { teamId: team.id } }, status: { in: inProgressStatuses } }
    expect(await platform.db.deployment.count({ where })).toBe(0)
  })

  test('comes back as it was, by an owner or an administrator, until the grace is over', async () => {
    const { platform } = berth
    const administrator = await berth.makeUser()
    await platform.db.user.update({ where: { id: administrator.id }, data: { isAdmin: true } })
    const app = await berth.makeApp(team.id)
    await remove()
    expect(await listDeletedTeams(platform, owner.viewer)).toMatchObject([{ id: team.id, slug: team.slug }])
    expect(await listDeletedTeams(platform, admin.viewer)).toEqual([])
    expect(await codeOf(restoreTeam(platform, admin.viewer, team.id))).toBe('not-found')
    await restoreTeam(platform, owner.viewer, team.slug)
    expect(await getTeam(platform, owner.viewer, team.slug)).toMatchObject({ id: team.id, role: 'owner' })
    expect(await getApp(platform, owner.viewer, app.id)).toMatchObject({
      desiredState: 'running',
      urls: app.urls,
    })
    expect(await codeOf(findDeletedTeam(platform, owner.viewer, team.id))).toBe('not-found')

    await remove()
    await restoreTeam(platform, administrator.viewer, team.id)
    await remove()
    await platform.db.team.update({ where: { id: team.id }, data: { purgeAt: new Date() } })
    expect(await codeOf(restoreTeam(platform, owner.viewer, team.id))).toBe('gone')
  })

  test('keeps its address while it can come back', async () => {
    await remove()
    expect(await codeOf(createTeam(berth.platform, operator, { name: 'X', slug: team.slug }))).toBe(
      'conflict',
    )
  })
})
