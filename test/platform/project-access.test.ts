import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { requireProject, requireTeam, type TokenViewer, type Viewer } from '../../platform/access.ts'
import { createApp, getApp, listApps } from '../../platform/apps.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { publish, streams } from '../../platform/event-log.ts'
import { listFirstApps } from '../../platform/first-apps.ts'
import { followTeam } from '../../platform/follow-events.ts'
import { changeRole, leaveTeam } from '../../platform/members.ts'
import type { TeamEvent } from '../../platform/model/events.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { everything, type TokenScope } from '../../platform/model/scopes.ts'
import { findProject } from '../../platform/places.ts'
import { changeProjectAccess, listProjectAccess } from '../../platform/project-access.ts'
import { getProject, listProjects } from '../../platform/projects.ts'
import { listPlaces } from '../../platform/team-places.ts'
import { createTeamToken } from '../../platform/tokens.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
let shop: App
let bank: App
let member: TestUser

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
})
afterAll(() => berth?.close())

beforeEach(async () => {
  team = await berth.makeTeam()
  shop = await berth.makeApp(team.id, { name: 'Shop' })
  bank = await berth.makeApp(team.id, { name: 'Bank' })
  member = await berth.makeUser({ teamId: team.id, role: 'viewer' })
})

type Access = 'team' | 'none' | 'viewer' | 'developer' | 'admin'

const give = (app: App, access: Access, who: Viewer = operator) =>
  changeProjectAccess(berth.platform, who, app.projectId, member.id, { access })

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'allowed',
    (error) => error.code,
  )
}

async function seen(viewer: Viewer): Promise<string[]> {
  const { platform } = berth
  const [apps, projects] = await Promise.all([
    listApps(platform, viewer, { teamId: team.id }),
    listProjects(platform, viewer, team.id),
  ])
  const projectIds = projects.data.map(({ id }) => id)
  expect(projectIds).toEqual(apps.data.map(({ projectId }) => projectId))
  const all = { projectIds: [shop.projectId, bank.projectId], each: 4 }
  expect(await listFirstApps(platform, viewer, team.id, all)).toEqual(apps.data)
  const places = await listPlaces(platform, viewer, team.id)
  expect(places.flatMap((place) => place.apps.map(({ id }) => id))).toEqual(apps.data.map(({ id }) => id))
  expect(places.map(({ id }) => id)).toEqual(projectIds)
  return apps.data.map(({ name }) => name)
}

/** The names of the apps whose events come by, out of one of each app. */
async function followed(follower: Viewer): Promise<string[]> {
  const { platform } = berth
  // A token that there is none of would be told nothing more as soon as that was looked at.
  const real = async () => (await createTeamToken(platform, operator, team.id, { name: 'follows' })).id
  const viewer = follower.kind === 'token' ? { ...follower, tokenId: await real() } : follower
  const signal = AbortSignal.timeout(10_000)
  const events = await followTeam(platform, viewer, team.id, { signal, after: '0-0' })
  const told: TeamEvent[] = [shop, bank].flatMap(({ id, projectId }): TeamEvent[] => [
    { type: 'app', appId: id, projectId, status: 'stopped' },
    { type: 'deployment', appId: id, deploymentId: 'dep_x', number: 7, status: 'live' },
    { type: 'project', projectId },
  ])
  await publish(platform, streams.team(team.id), ...told)
  // Everybody may see this one, and it is the last.
  const end = await berth.makeApp(team.id, { name: 'End' })
  if (viewer.kind === 'token') (viewer.scope.appIds as string[]).push(end.id)
  const names = new Map(
    [shop, bank].flatMap(
      ({ id, projectId, name }) =>
        [
          [id, name],
          [projectId, name],
        ] as const,
    ),
  )
  const found = new Set<string>()
  for await (const { event } of events) {
    const id = 'appId' in event ? event.appId : 'projectId' in event ? event.projectId : ''
    if (id === end.id) break
    const name = names.get(id)
    if (name !== undefined) found.add(name)
  }
  return [...found]
}

describe('a member in one project', () => {
  test('may have more than in the team: the role counts there, and nowhere else', async () => {
    const { platform } = berth
    expect(await give(shop, 'developer')).toMatchObject({
      ...{ teamRole: 'viewer', access: 'developer', role: 'developer' },
    })
    expect(await codeOf(createDeployment(platform, member.viewer, shop.id))).toBe('allowed')
    expect(await codeOf(createDeployment(platform, member.viewer, bank.id))).toBe('forbidden')
    expect((await getProject(platform, member.viewer, shop.projectId)).role).toBe('developer')
    expect((await getProject(platform, member.viewer, bank.projectId)).role).toBe('viewer')
    expect(await seen(member.viewer)).toEqual(['Shop', 'Bank'])
    await give(shop, 'team')
    expect(await codeOf(createDeployment(platform, member.viewer, shop.id))).toBe('forbidden')
  })

  test('may have nothing: it is in no list and no stream, and its ids and slugs lead nowhere', async () => {
    const { platform } = berth
    await changeRole(platform, operator, team.id, member.id, { role: 'developer' })
    await give(bank, 'none')
    expect(await seen(member.viewer)).toEqual(['Shop'])
    expect(await followed(member.viewer)).toEqual(['Shop'])
    const slug = (await getProject(platform, operator, bank.projectId)).slug
    for (const attempt of [
      () => getApp(platform, member.viewer, bank.id),
      () => getProject(platform, member.viewer, bank.projectId),
      () => findProject(platform, member.viewer, team.id, slug),
      () => listApps(platform, member.viewer, { projectId: bank.projectId }),
      () => createDeployment(platform, member.viewer, bank.id),
    ]) {
      expect(await codeOf(attempt())).toBe('not-found')
    }
  })

  test('owners and administrators of a team are that in all of its projects', async () => {
    await give(bank, 'none')
    await changeRole(berth.platform, operator, team.id, member.id, { role: 'admin' })
    expect(await seen(member.viewer)).toEqual(['Shop', 'Bank'])
    expect(await codeOf(give(bank, 'viewer'))).toBe('conflict')
  })

  test('nobody gives more than he has, changes who has more, or does it outside of his project', async () => {
    const { platform } = berth
    const lead = await berth.makeUser({ teamId: team.id, role: 'viewer' })
    const owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
    await changeProjectAccess(platform, operator, shop.projectId, lead.id, { access: 'admin' })
    expect(await codeOf(give(shop, 'admin', lead.viewer))).toBe('allowed')
    expect(await codeOf(give(bank, 'viewer', lead.viewer))).toBe('forbidden')
    expect(await codeOf(give(shop, 'viewer', owner.viewer))).toBe('allowed')
    expect(await codeOf(give(shop, 'developer', member.viewer))).toBe('forbidden')
    const change = changeProjectAccess(platform, lead.viewer, shop.projectId, owner.id, { access: 'none' })
    expect(await codeOf(change)).toBe('conflict')
    const stranger = await berth.makeUser()
    const ofStranger = changeProjectAccess(platform, owner.viewer, shop.projectId, stranger.id, {
      access: 'admin',
    })
    expect(await codeOf(ofStranger)).toBe('not-found')
    const { data } = await listProjectAccess(platform, lead.viewer, shop.projectId)
    expect(data.map(({ access, role }) => [access, role])).toEqual([
      ['viewer', 'viewer'],
      ['admin', 'admin'],
      ['team', 'owner'],
    ])
  })

  test('who left and comes back begins with the role in the team', async () => {
    const { platform } = berth
    await give(shop, 'admin')
    await leaveTeam(platform, member.viewer, team.id)
    await platform.db.membership.create({ data: { teamId: team.id, userId: member.id, role: 'viewer' } })
    expect(await codeOf(createDeployment(platform, member.viewer, shop.id))).toBe('forbidden')
  })
})

describe('a token', () => {
  const token = (scope: Partial<TokenScope>, fields: Partial<TokenViewer> = {}): TokenViewer => ({
    ...{ kind: 'token', tokenId: 'tok_x', userId: null, makerId: null, teamId: team.id, role: 'admin' },
    scope: { ...everything, ...scope },
    ...fields,
  })

  test('for one project reaches what is in it, and of the team its name alone', async () => {
    const { platform } = berth
    const viewer = token({ projectIds: [shop.projectId], appIds: [] })
    expect(await seen(viewer)).toEqual(['Shop'])
    expect(await codeOf(getApp(platform, viewer, bank.id))).toBe('not-found')
    expect(await codeOf(getProject(platform, viewer, bank.projectId))).toBe('not-found')
    expect(await codeOf(requireTeam(platform, viewer, team.id, 'team.read'))).toBe('allowed')
    for (const action of [
      'member.read',
      'project.create',
      'audit.read',
      'team.rename',
      'repository.push',
    ] as const)
      expect(await codeOf(requireTeam(platform, viewer, team.id, action))).toBe('forbidden')
    const settings = { image: 'registry.example/app:1' }
    const make = createApp(platform, viewer, shop.projectId, { name: 'New', settings })
    expect(await codeOf(make)).toBe('allowed')
    expect(await followed(token({ projectIds: [shop.projectId], appIds: [] }))).toEqual(['Shop'])
  })

  test('for one app reaches it, sees the project around it, and changes nothing of that', async () => {
    const { platform } = berth
    const sibling = await createApp(platform, operator, shop.projectId, {
      ...{ name: 'Sibling', settings: { image: 'registry.example/app:1' } },
    })
    const viewer = token({ appIds: [shop.id] })
    expect(await seen(viewer)).toEqual(['Shop'])
    expect(await codeOf(createDeployment(platform, viewer, shop.id))).toBe('allowed')
    expect(await codeOf(getApp(platform, viewer, sibling.id))).toBe('not-found')
    expect(await codeOf(getProject(platform, viewer, shop.projectId))).toBe('allowed')
    expect(await codeOf(getProject(platform, viewer, bank.projectId))).toBe('not-found')
    const place = { teamId: team.id, projectId: shop.projectId }
    for (const action of ['project.update', 'app.create', 'project.delete'] as const)
      expect(await codeOf(requireProject(platform, viewer, place, action))).toBe('not-found')
    expect(await followed(token({ appIds: [shop.id] }))).toEqual(['Shop'])
  })

  test('does only what its actions say', async () => {
    const { platform } = berth
    const viewer = token({ actions: ['*.read', 'deployment.*'] })
    expect(await codeOf(getApp(platform, viewer, shop.id))).toBe('allowed')
    expect(await codeOf(createDeployment(platform, viewer, shop.id))).toBe('allowed')
    expect(await codeOf(requireTeam(platform, viewer, team.id, 'project.create'))).toBe('forbidden')
    const place = { teamId: team.id, projectId: shop.projectId }
    expect(await codeOf(requireProject(platform, viewer, place, 'variable.write'))).toBe('forbidden')
    expect(await codeOf(requireProject(platform, viewer, place, 'app.read-logs'))).toBe('forbidden')
  })

  test('shrinks with the person behind it, in the team and in each project', async () => {
    const { platform } = berth
    await changeRole(platform, operator, team.id, member.id, { role: 'developer' })
    const personal = token({}, { userId: member.id, teamId: null, role: 'owner' })
    const ofTeam = token({}, { makerId: member.id, role: 'developer' })
    for (const viewer of [personal, ofTeam]) {
      await changeRole(platform, operator, team.id, member.id, { role: 'developer' })
      await give(bank, 'team')
      expect(await codeOf(createDeployment(platform, viewer, shop.id))).toBe('allowed')
      await give(bank, 'none')
      expect(await seen(viewer)).toEqual(['Shop'])
      await changeRole(platform, operator, team.id, member.id, { role: 'viewer' })
      expect(await codeOf(createDeployment(platform, viewer, shop.id))).toBe('forbidden')
      // More in a project than in the team: the token has it there too, up to its own role.
      await give(bank, 'admin')
      expect(await codeOf(createDeployment(platform, viewer, bank.id))).toBe('allowed')
    }
    await leaveTeam(platform, member.viewer, team.id)
    expect(await codeOf(getApp(platform, personal, shop.id))).toBe('not-found')
    expect(await codeOf(getApp(platform, ofTeam, shop.id))).toBe('not-found')
  })
})
