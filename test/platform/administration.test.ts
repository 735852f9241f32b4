import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { listAudit } from '../../platform/audit-log.ts'
import { followTeam } from '../../platform/follow-events.ts'
import { cordonHost, listHosts } from '../../platform/host-admin.ts'
import type { Team } from '../../platform/model/resources.ts'
import { everything as wholeScope } from '../../platform/model/scopes.ts'
import type { Platform } from '../../platform/open.ts'
import { checkSession, signIn, viewerFromToken } from '../../platform/sessions.ts'
import { appointOwner, getManagedTeam, listManagedTeams } from '../../platform/team-admin.ts'
import { getTeam } from '../../platform/teams.ts'
import { createToken } from '../../platform/tokens.ts'
import {
  createResetLink,
  deleteUser,
  getManagedUser,
  listUsers,
  reactivateUser,
  setAdministrator,
  suspendUser,
} from '../../platform/user-admin.ts'
import { heartbeat, registerHost } from '../../platform/worker/hosts.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let platform: Platform
let team: Team
let admin: TestUser
let person: TestUser

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = berth.platform
})
afterAll(() => berth?.close())
beforeEach(async () => {
  await platform.db.user.deleteMany()
  team = await berth.makeTeam()
  person = await berth.makeUser({ teamId: team.id, role: 'owner' })
  admin = await berth.makeUser()
  await platform.db.user.update({ where: { id: admin.id }, data: { isAdmin: true } })
})

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => error.code,
  )
const lastEntry = async () => (await listAudit(platform, operator, 'installation')).data[0]

describe('accounts', () => {
  test('are listed with their teams, and found by name, address and state', async () => {
    const { name } = await platform.db.user.findUniqueOrThrow({ where: { id: person.id } })
    const found = async (filter: object) =>
      (await listUsers(platform, admin.viewer, filter)).data.map(({ id }) => id)
    expect(await found({})).toEqual([person.id, admin.id])
    expect(await found({ search: person.email.slice(4, 20).toUpperCase() })).toEqual([person.id])
    expect(await found({ search: name })).toEqual([person.id])
    expect(await found({ search: '%' })).toEqual([])
    expect(await found({ state: 'administrator' })).toEqual([admin.id])
    expect(await found({ state: 'suspended' })).toEqual([])
    expect((await getManagedUser(platform, admin.viewer, person.id)).teams).toMatchObject([
      { id: team.id, role: 'owner', isLastOwner: true },
    ])
  })

  test('a suspended one is nobody at once, and its old sessions and tokens stay dead when it comes back', async () => {
    const { email, password } = person
    const { sessionId } = await signIn(platform, { email, password, address: '127.0.0.1' })
    const { secret } = await createToken(platform, person.viewer, { name: 'ci', role: 'owner' })
    const byToken = () => viewerFromToken(platform, secret, { viaEdge: true, address: '127.0.0.1' })
    expect(await byToken()).not.toBeNull()
    expect(await suspendUser(platform, admin.viewer, person.id)).toMatchObject({
      suspendedAt: expect.any(String),
    })
    expect(await lastEntry()).toMatchObject({
      action: 'user.suspend',
      targetId: person.id,
      actorId: admin.id,
      detail: { sessions: 1, tokens: 1 },
    })
    expect([await checkSession(platform, sessionId), await byToken()]).toEqual([null, null])
    expect(await codeOf(getTeam(platform, person.viewer, team.id))).toBe('not-found')
    await reactivateUser(platform, admin.viewer, person.id)
    expect([await checkSession(platform, sessionId), await byToken()]).toEqual([null, null])
    expect(await codeOf(signIn(platform, { email, password, address: '127.0.0.1' }))).toBe('done')
  })

  test('the last administrator stays one, also when two end each other at the same moment', async () => {
    expect(await codeOf(setAdministrator(platform, admin.viewer, admin.id, false))).toBe('conflict')
    expect(await codeOf(suspendUser(platform, operator, admin.id))).toBe('conflict')
    expect(await codeOf(deleteUser(platform, operator, admin.id))).toBe('conflict')
    await setAdministrator(platform, admin.viewer, person.id, true)
    expect(await lastEntry()).toMatchObject({ changes: [{ field: 'isAdmin', before: false, after: true }] })
    const both = [
      setAdministrator(platform, admin.viewer, person.id, false),
      setAdministrator(platform, person.viewer, admin.id, false),
    ]
    expect((await Promise.all(both.map(codeOf))).sort()).toEqual(['conflict', 'done'])
    expect(await platform.db.user.count({ where: { isAdmin: true } })).toBe(1)
  })

  test('nobody suspends or deletes himself, and one who was an administrator is none at once', async () => {
    await setAdministrator(platform, admin.viewer, person.id, true)
    expect(await codeOf(suspendUser(platform, admin.viewer, admin.id))).toBe('conflict')
    expect(await codeOf(deleteUser(platform, admin.viewer, admin.id))).toBe('conflict')
    await setAdministrator(platform, admin.viewer, person.id, false)
    expect(await codeOf(listUsers(platform, person.viewer))).toBe('forbidden')
  })

  test('deleting says which teams nobody else owns, and hands them to whom is named', async () => {
    await expect(deleteUser(platform, admin.viewer, person.id)).rejects.toThrow(
      `Nobody else owns ${team.name}`,
    )
    expect(await codeOf(deleteUser(platform, admin.viewer, person.id, { newOwnerId: person.id }))).toBe(
      'invalid',
    )
    expect(await codeOf(deleteUser(platform, admin.viewer, person.id, { newOwnerId: 'nobody' }))).toBe(
      'invalid',
    )
    await deleteUser(platform, admin.viewer, person.id, { newOwnerId: admin.id })
    expect(await getTeam(platform, admin.viewer, team.id)).toMatchObject({ role: 'owner' })
    expect(await codeOf(getManagedUser(platform, admin.viewer, person.id))).toBe('not-found')
    const { data } = await listAudit(platform, operator, { teamId: team.id })
    expect(data.map(({ action }) => action)).toEqual(['member.remove', 'team.appoint-owner', 'team.create'])
  })

  test('a link for a new password is kept nowhere, replaces earlier ones, and is not made for a suspended one', async () => {
    const first = await createResetLink(platform, admin.viewer, person.id)
    const second = await createResetLink(platform, admin.viewer, person.id)
    expect(second.url).toMatch(/\/reset\?token=[A-Za-z0-9]{40}$/)
    const open = await platform.db.linkRequest.findMany({
      where: { userId: person.id, expiresAt: { gt: new Date() } },
    })
    expect(open).toHaveLength(1)
    const everything = JSON.stringify([open, (await listAudit(platform, operator, 'installation')).data])
    for (const { url } of [first, second]) expect(everything).not.toContain(url.slice(-40))
    await suspendUser(platform, admin.viewer, person.id)
    expect(await codeOf(createResetLink(platform, admin.viewer, person.id))).toBe('conflict')
  })
})

describe('teams', () => {
  test('are listed with their owners and what they take up, and get an owner when theirs are gone', async () => {
    await berth.makeApp(team.id)
    const [listed] = (await listManagedTeams(platform, admin.viewer, { search: team.slug })).data
    expect(listed).toMatchObject({
      owners: [{ id: person.id }],
      memberCount: 1,
      used: { apps: 1, memoryBytes: 0 },
      limits: { apps: null },
    })
    await suspendUser(platform, admin.viewer, person.id)
    expect(await getManagedTeam(platform, admin.viewer, team.id)).toMatchObject({ owners: [] })
    expect(await codeOf(appointOwner(platform, admin.viewer, team.id, { userId: person.id }))).toBe('invalid')
    await appointOwner(platform, admin.viewer, team.id, { userId: admin.id })
    expect(await getTeam(platform, admin.viewer, team.id)).toMatchObject({ role: 'owner' })
    expect((await listAudit(platform, admin.viewer, { teamId: team.id })).data[0]).toMatchObject({
      action: 'team.appoint-owner',
      changes: [{ field: 'role', before: null, after: 'owner' }],
    })
  })
})

describe('hosts', () => {
  const id = 'hst_test'
  const state = async () =>
    (await listHosts(platform, admin.viewer)).data.find((host) => host.id === id)?.state

  test('are what their last report says', async () => {
    await platform.db.host.upsert({ where: { id }, create: { id, name: id }, update: { lastSeenAt: null } })
    expect(await state()).toBe('never-seen')
    await registerHost(platform, { id, name: 'one', facts: { cpus: 2, kernel: '6.18' } })
    expect(await state()).toBe('online')
    await platform.db.host.update({ where: { id }, data: { lastSeenAt: new Date(Date.now() - 31_000) } })
    expect(await state()).toBe('away')
    await heartbeat(platform, id)
    expect(await state()).toBe('online')
  })

  test('a cordoned one takes no new apps, and what is on it goes on', async () => {
    const app = await berth.makeApp(team.id)
    const { hostId } = platform.config
    await cordonHost(platform, admin.viewer, hostId, true)
    await cordonHost(platform, admin.viewer, hostId, true)
    expect((await listAudit(platform, operator, 'installation', { target: hostId })).data).toHaveLength(1)
    expect(await codeOf(berth.makeApp(team.id))).toBe('conflict')
    expect(await platform.db.app.findUnique({ where: { id: app.id } })).toMatchObject({
      desiredState: 'running',
    })
    await cordonHost(platform, admin.viewer, hostId, false)
    expect(await codeOf(berth.makeApp(team.id))).toBe('done')
  })
})

test('owners of teams, and tokens that are not the whole of an administrator, see none of it', async () => {
  const token = (fields: object): Viewer => ({
    ...{ kind: 'token', tokenId: 't', userId: admin.id, teamId: null, role: 'owner' },
    ...{ makerId: null, scope: wholeScope },
    ...fields,
  })
  const everything = (viewer: Viewer) => [
    listUsers(platform, viewer),
    getManagedUser(platform, viewer, admin.id),
    suspendUser(platform, viewer, person.id),
    listManagedTeams(platform, viewer),
    appointOwner(platform, viewer, team.id, { userId: admin.id }),
    listHosts(platform, viewer),
    cordonHost(platform, viewer, 'x', true),
  ]
  for (const viewer of [
    person.viewer,
    token({ role: 'admin' }),
    token({ teamId: team.id }),
    token({ userId: null }),
  ])
    expect(new Set(await Promise.all(everything(viewer).map(codeOf)))).toEqual(new Set(['forbidden']))
})

test('who is suspended while he follows a team is told nothing more, at once', async () => {
  const source = await followTeam(platform, person.viewer, team.id, { signal: AbortSignal.timeout(60_000) })
  const told: unknown[] = []
  const ended = (async () => {
    for await (const { event } of source) told.push(event)
  })()
  const begin = Date.now()
  await suspendUser(platform, admin.viewer, person.id)
  await ended
  expect(told).toEqual([])
  expect(Date.now() - begin).toBeLessThan(10_000)
})
