import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { endSession } from '../../platform/end-session.ts'
import { followTeam } from '../../platform/follow-events.ts'
import { checkSession, isStillValid, signIn } from '../../platform/sessions.ts'
import { checkSetupToken, claimInstallation, createSetupLink } from '../../platform/setup.ts'
import { listTeams } from '../../platform/teams.ts'
import { getUser } from '../../platform/users.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
const servers = () => ({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })

beforeAll(async () => {
  berth = await openTestPlatform(servers())
})
afterAll(() => berth?.close())

const person = { name: 'Ada', email: 'ada@example.com', password: 'a long enough password' }
const tokenOf = (url: string) => new URL(url).searchParams.get('token') ?? ''

test('of twenty who follow the set-up link at once exactly one becomes the owner, and the link dies', async () => {
  const other = await openTestPlatform(servers())
  const { platform } = other
  try {
    const [first, second] = [await other.makeTeam(), await other.makeTeam()]
    const stale = tokenOf((await createSetupLink(platform, operator)).url)
    const { url } = await createSetupLink(platform, operator)
    expect(url.startsWith('http://localhost:7080/setup?token=')).toBe(true)
    const token = tokenOf(url)
    expect(await checkSetupToken(platform, token)).toBe('valid')
    expect(await checkSetupToken(platform, stale)).toBe('unknown')
    await expect(claimInstallation(platform, { ...person, token: stale })).rejects.toMatchObject({
      code: 'not-found',
    })

    const claims = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        claimInstallation(platform, { ...person, token, team: `Team ${i}`, email: `user${i}@example.com` }),
      ),
    )
    const winners = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []))
    const losers = claims.flatMap((claim) => (claim.status === 'rejected' ? [claim.reason] : []))
    expect(winners).toHaveLength(1)
    expect(new Set(losers.map((error) => error.code))).toEqual(new Set(['gone']))
    expect(await platform.db.user.count()).toBe(1)

    const viewer = { kind: 'user' as const, userId: winners[0]?.userId ?? '', sessionId: null }
    const teams = await listTeams(platform, viewer)
    expect(teams.data.map(({ id, role }) => `${id} ${role}`)).toEqual([
      `${first.id} owner`,
      `${second.id} owner`,
    ])
    const winner = claims.findIndex(({ status }) => status === 'fulfilled')
    expect(teams.data.map(({ name, slug }) => [name, slug])).toEqual([
      [`Team ${winner}`, first.slug],
      [second.name, second.slug],
    ])
    expect(await getUser(platform, viewer)).toMatchObject({ name: 'Ada', isAdmin: true })
    expect(await checkSetupToken(platform, token)).toBe('claimed')
    await expect(createSetupLink(platform, operator)).rejects.toMatchObject({ code: 'gone' })
  } finally {
    await other.close()
  }
})

test('the owner of an installation without teams gets one', async () => {
  const other = await openTestPlatform(servers())
  try {
    const token = tokenOf((await createSetupLink(other.platform, operator)).url)
    await expect(
      claimInstallation(other.platform, { token, name: '', team: ' ', email: 'x', password: 'short' }),
    ).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: 'name' }, { path: 'team' }, { path: 'email' }, { path: 'password' }],
    })
    const { userId } = await claimInstallation(other.platform, { ...person, token })
    const teams = await listTeams(other.platform, { kind: 'user', userId, sessionId: null })
    expect(teams.data).toMatchObject([{ name: 'Main', slug: 'main', role: 'owner' }])
  } finally {
    await other.close()
  }
})

test('nobody but the operator makes set-up links', async () => {
  const { viewer } = await berth.makeUser()
  await expect(createSetupLink(berth.platform, viewer)).rejects.toMatchObject({ code: 'forbidden' })
})

test('a session begins with the right password and ends everywhere at once', async () => {
  const { platform } = berth
  const user = await berth.makeUser()
  const from = { address: '192.0.2.1', userAgent: 'test' }
  const { userId, sessionId } = await signIn(platform, {
    email: user.email.toUpperCase(),
    password: user.password,
    ...from,
  })
  expect(userId).toBe(user.id)
  const viewer = await checkSession(platform, sessionId)
  expect(viewer).toEqual({ kind: 'user', userId, sessionId })
  await endSession(platform, sessionId)
  await endSession(platform, sessionId)
  expect(await checkSession(platform, sessionId)).toBeNull()
  expect(viewer !== null && (await isStillValid(platform, viewer))).toBe(false)

  const again = await signIn(platform, { email: user.email, password: user.password, ...from })
  await platform.db.session.update({ where: { id: again.sessionId }, data: { expiresAt: new Date(0) } })
  expect(await checkSession(platform, again.sessionId)).toBeNull()
})

test('a stream that was open ends with the session, and not with the look at every half minute', async () => {
  const { platform } = berth
  const team = await berth.makeTeam()
  const user = await berth.makeUser({ teamId: team.id, role: 'owner' })
  const { sessionId } = await signIn(platform, {
    ...{ email: user.email, password: user.password, address: '192.0.2.8' },
  })
  const viewer = { kind: 'user', userId: user.id, sessionId } as const
  const signal = AbortSignal.timeout(15_000)
  const stream = (await followTeam(platform, viewer, team.id, { signal }))[Symbol.asyncIterator]()
  const end = stream.next()
  // It listens for what changes from here on: whoever signs out a moment before is found by the first look.
  await endSession(platform, sessionId)
  expect(await end).toMatchObject({ done: true })
  expect(signal.aborted).toBe(false)
})

test('who came in, who went and who was not let in is written down, and guessing does not fill the log', async () => {
  const { platform } = berth
  const user = await berth.makeUser()
  const from = { address: '192.0.2.7', userAgent: 'test/7' }
  const { sessionId } = await signIn(platform, { email: user.email, password: user.password, ...from })
  await endSession(platform, sessionId, from)
  await endSession(platform, sessionId, from)
  const typed = 'typed into the wrong field'
  const attempts = (email: string) =>
    Array.from({ length: 12 }, async (_, i) =>
      signIn(platform, { email, password: typed, address: `198.51.100.${i}` }).catch(() => {}),
    )
  for (const email of [user.email, 'never@example.com']) await Promise.all(attempts(email))
  const log = await platform.db.auditEvent.findMany({
    where: { OR: [{ actorUserId: user.id }, { targetId: user.id }] },
    orderBy: { id: 'asc' },
  })
  expect(log).toMatchObject([
    { action: 'session.begin', actor: `user:${user.id}`, targetId: sessionId, ...from },
    { action: 'session.end', actor: `user:${user.id}`, targetId: sessionId, ...from },
    { action: 'session.refuse', actor: 'anonymous', detail: { reason: 'wrong-password', attempts: 1 } },
    { action: 'session.refuse', actor: 'anonymous', detail: { reason: 'wrong-password', attempts: 10 } },
  ])
  const unknown = await platform.db.auditEvent.findMany({
    where: { action: 'session.refuse', targetId: null, address: { startsWith: '198.51.100.' } },
    orderBy: { id: 'asc' },
  })
  expect(unknown.map(({ detail }) => detail)).toEqual([
    { reason: 'unknown-account', attempts: 1 },
    { reason: 'unknown-account', attempts: 10 },
  ])
  const everything = JSON.stringify(await platform.db.auditEvent.findMany())
  for (const secret of [typed, user.password, 'never@example.com']) expect(everything).not.toContain(secret)
})

test('a wrong password, an unknown address and a disabled user get the same answer', async () => {
  const { platform } = berth
  const user = await berth.makeUser()
  const disabled = await berth.makeUser()
  await platform.db.user.update({ where: { id: disabled.id }, data: { disabledAt: new Date() } })
  const messages = new Set<string>()
  for (const [email, password] of [
    [user.email, 'wrong'],
    ['nobody@example.com', 'wrong'],
    [disabled.email, disabled.password],
  ] as const) {
    const error = await signIn(platform, { email, password, address: '192.0.2.2' }).catch((e) => e)
    expect(error.code).toBe('unauthenticated')
    messages.add(error.message)
  }
  expect(messages.size).toBe(1)
})
