import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { listAudit } from '../../platform/audit-log.ts'
import {
  acceptInvitation,
  invite,
  joinByInvitation,
  listInvitations,
  readInvitation,
  revokeInvitation,
} from '../../platform/invitations.ts'
import { changeRole, leaveTeam, listMembers, removeMember } from '../../platform/members.ts'
import type { Team } from '../../platform/model/resources.ts'
import { type Role, roles } from '../../platform/model/roles.ts'
import { everything } from '../../platform/model/scopes.ts'
import type { Platform } from '../../platform/open.ts'
import { signIn } from '../../platform/sessions.ts'
import { getTeam } from '../../platform/teams.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let platform: Platform
let team: Team
let people: Record<Role, TestUser>

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = berth.platform
})
afterAll(() => berth?.close())
beforeEach(async () => {
  team = await berth.makeTeam()
  const made = await Promise.all(
    roles.map(async (role) => [role, await berth.makeUser({ teamId: team.id, role })] as const),
  )
  people = Object.fromEntries(made) as Record<Role, TestUser>
})

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => error.code,
  )

describe('members', () => {
  test('a role changes at once, for sessions that are open too, and is written down with before and after', async () => {
    const { owner, developer } = people
    await changeRole(platform, owner.viewer, team.id, developer.id, { role: 'viewer' })
    expect(await getTeam(platform, developer.viewer, team.id)).toMatchObject({ role: 'viewer' })
    expect((await listAudit(platform, owner.viewer, { teamId: team.id })).data[0]).toMatchObject({
      action: 'member.change-role',
      targetId: developer.id,
    })
    expect(
      await platform.db.auditEvent.findFirst({ where: { teamId: team.id, action: 'member.change-role' } }),
    ).toMatchObject({ changes: [{ field: 'role', before: 'developer', after: 'viewer' }] })
  })

  test('nobody gives more than he has, and nobody touches who has more', async () => {
    const { admin, owner, developer, viewer } = people
    const change = (who: TestUser, whom: TestUser, role: Role) =>
      codeOf(changeRole(platform, who.viewer, team.id, whom.id, { role }))
    expect(await change(admin, developer, 'owner')).toBe('forbidden')
    expect(await change(admin, owner, 'viewer')).toBe('forbidden')
    expect(await codeOf(removeMember(platform, admin.viewer, team.id, owner.id))).toBe('forbidden')
    expect(await change(developer, viewer, 'viewer')).toBe('forbidden')
    expect(await change(admin, admin, 'owner')).toBe('forbidden')
    expect(await change(admin, developer, 'admin')).toBe('done')
    expect(await change(owner, admin, 'owner')).toBe('done')
  })

  test('the last owner stays, also when two leave at the same moment', async () => {
    const { owner, admin } = people
    const alone = [
      changeRole(platform, owner.viewer, team.id, owner.id, { role: 'admin' }),
      leaveTeam(platform, owner.viewer, team.id),
      removeMember(platform, operator, team.id, owner.id),
    ]
    expect(await Promise.all(alone.map(codeOf))).toEqual(['conflict', 'conflict', 'conflict'])
    await changeRole(platform, owner.viewer, team.id, admin.id, { role: 'owner' })
    const both = [owner, admin].map(({ viewer }) => codeOf(leaveTeam(platform, viewer, team.id)))
    expect((await Promise.all(both)).sort()).toEqual(['conflict', 'done'])
    const { data } = await listMembers(platform, operator, team.id)
    expect(data.filter(({ role }) => role === 'owner')).toHaveLength(1)
  })

  test('an owner whose account is disabled does not count as one', async () => {
    const { owner, admin } = people
    await changeRole(platform, owner.viewer, team.id, admin.id, { role: 'owner' })
    await platform.db.user.update({ where: { id: admin.id }, data: { disabledAt: new Date() } })
    expect(await codeOf(leaveTeam(platform, owner.viewer, team.id))).toBe('conflict')
  })

  test('who was removed sees nothing any more, and members of other teams are nobody here', async () => {
    const { admin, developer } = people
    const stranger = await berth.makeUser({ teamId: (await berth.makeTeam()).id, role: 'owner' })
    await removeMember(platform, admin.viewer, team.id, developer.id)
    expect(await codeOf(getTeam(platform, developer.viewer, team.id))).toBe('not-found')
    expect(await codeOf(removeMember(platform, admin.viewer, team.id, developer.id))).toBe('not-found')
    expect(await codeOf(removeMember(platform, admin.viewer, team.id, stranger.id))).toBe('not-found')
    expect(await codeOf(removeMember(platform, stranger.viewer, team.id, admin.id))).toBe('not-found')
    expect(await codeOf(listMembers(platform, stranger.viewer, team.id))).toBe('not-found')
  })

  test('a token never takes its person out of a team', async () => {
    const token: Viewer = {
      kind: 'token',
      tokenId: 't',
      userId: people.viewer.id,
      makerId: null,
      teamId: null,
      role: 'owner',
      scope: everything,
    }
    expect(await codeOf(leaveTeam(platform, token, team.id))).toBe('forbidden')
  })

  test('the list goes in pages and loses nobody', async () => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listMembers(platform, people.viewer.viewer, team.id, { limit: 3, cursor })
      seen.push(...page.data.map(({ userId }) => userId))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(seen.sort()).toEqual(
      Object.values(people)
        .map(({ id }) => id)
        .sort(),
    )
  })
})

const tokenIn = (url: string | null) => new URL(url ?? '').searchParams.get('token') ?? ''
let last = 0
const newEmail = () => `invited${++last}@example.com`

describe('invitations', () => {
  test('a link makes an account and a member, once, and is stored nowhere', async () => {
    const email = newEmail()
    const {
      url,
      mailed: _,
      ...invitation
    } = await invite(platform, people.admin.viewer, team.id, {
      email,
      role: 'developer',
    })
    const token = tokenIn(url)
    expect(url).toBe(`http://localhost:7080/join?token=${token}`)
    for (const table of ['invitations', 'audit_events']) {
      const rows = await platform.db.$queryRawUnsafe(`SELECT to_jsonb(t)::text AS row FROM ${table} t`)
      expect(JSON.stringify(rows)).not.toContain(token)
    }
    expect((await listInvitations(platform, people.admin.viewer, team.id)).data).toEqual([invitation])
    expect(await readInvitation(platform, token)).toEqual({
      ...{ teamName: team.name, email, role: 'developer', hasAccount: false },
      invitedBy: expect.stringMatching(/^User/),
    })
    const input = { token, name: 'Ada', password: 'a long enough one' }
    const tries = await Promise.all([1, 2, 3].map(() => codeOf(joinByInvitation(platform, input))))
    expect(tries.filter((code) => code === 'done')).toHaveLength(1)
    const { userId } = await signIn(platform, { email, password: input.password, address: '127.0.0.1' })
    const ada: Viewer = { kind: 'user', userId, sessionId: null }
    expect(await getTeam(platform, ada, team.id)).toMatchObject({ role: 'developer' })
    expect(await readInvitation(platform, token)).toBeNull()
    expect(await codeOf(joinByInvitation(platform, input))).toBe('gone')
    expect(await codeOf(acceptInvitation(platform, ada, token))).toBe('gone')
  })

  test('who has an account signs in and accepts; nobody else can', async () => {
    const other = await berth.makeUser()
    const { url } = await invite(platform, people.owner.viewer, team.id, {
      email: other.email,
      role: 'admin',
    })
    const token = tokenIn(url)
    expect(await readInvitation(platform, token)).toMatchObject({ hasAccount: true })
    const stranger = await berth.makeUser()
    expect(await codeOf(acceptInvitation(platform, stranger.viewer, token))).toBe('forbidden')
    expect(await codeOf(acceptInvitation(platform, operator, token))).toBe('forbidden')
    const input = { token, name: 'Thief', password: 'a long enough one' }
    expect(await codeOf(joinByInvitation(platform, input))).toBe('conflict')
    expect(await acceptInvitation(platform, other.viewer, token)).toMatchObject({
      id: team.id,
      role: 'admin',
    })
  })

  test('a newer invitation replaces the older, and a revoked or old one leads nowhere', async () => {
    const email = newEmail()
    const make = (role: Role) => invite(platform, people.owner.viewer, team.id, { email, role })
    const first = await make('viewer')
    const second = await make('admin')
    expect(await readInvitation(platform, tokenIn(first.url))).toBeNull()
    expect(await readInvitation(platform, tokenIn(second.url))).toMatchObject({ role: 'admin' })
    await revokeInvitation(platform, people.admin.viewer, second.id)
    expect(await readInvitation(platform, tokenIn(second.url))).toBeNull()
    expect(await codeOf(revokeInvitation(platform, people.admin.viewer, second.id))).toBe('not-found')
    const third = await make('viewer')
    await platform.db.invitation.update({ where: { id: third.id }, data: { expiresAt: new Date() } })
    expect(await readInvitation(platform, tokenIn(third.url))).toBeNull()
    const input = { token: tokenIn(third.url), name: 'Late', password: 'a long enough one' }
    expect(await codeOf(joinByInvitation(platform, input))).toBe('gone')
    expect((await listInvitations(platform, operator, team.id)).data).toEqual([])
  })

  test('nobody invites above his own role, and members are not invited again', async () => {
    const email = newEmail()
    const attempt = (who: TestUser, input: { email: string; role: Role }) =>
      codeOf(invite(platform, who.viewer, team.id, input))
    expect(await attempt(people.admin, { email, role: 'owner' })).toBe('forbidden')
    expect(await attempt(people.developer, { email, role: 'viewer' })).toBe('forbidden')
    expect(await attempt(people.admin, { email: people.viewer.email, role: 'admin' })).toBe('conflict')
    const stranger = await berth.makeUser({ teamId: (await berth.makeTeam()).id, role: 'owner' })
    const { id } = await invite(platform, people.owner.viewer, team.id, { email })
    expect(await codeOf(revokeInvitation(platform, stranger.viewer, id))).toBe('not-found')
    expect(await codeOf(listInvitations(platform, people.developer.viewer, team.id))).toBe('forbidden')
  })

  test('an invitation that was open when its person became a member never makes the role weaker', async () => {
    const other = await berth.makeUser()
    const { url } = await invite(platform, people.owner.viewer, team.id, {
      email: other.email,
      role: 'viewer',
    })
    await platform.db.membership.create({ data: { teamId: team.id, userId: other.id, role: 'admin' } })
    expect(await acceptInvitation(platform, other.viewer, tokenIn(url))).toMatchObject({ role: 'admin' })
  })
})
