import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { answerRegistryToken } from '../../app/_server/registry-token.ts'
import { requireProject, requireRepository, requireTeam, type Viewer } from '../../platform/access.ts'
import { leaveTeam, listMembers } from '../../platform/members.ts'
import { everything } from '../../platform/model/scopes.ts'
import type { Platform } from '../../platform/open.ts'
import { issueRegistryToken } from '../../platform/registry/grant.ts'
import { issueRefreshToken, redeemRefreshToken } from '../../platform/registry/refresh-token.ts'
import { SecondStep } from '../../platform/second-step.ts'
import { checkSession, signIn, signInWithCode } from '../../platform/sessions.ts'
import { requireTwoFactorIn } from '../../platform/team-two-factor.ts'
import { createToken } from '../../platform/tokens.ts'
import {
  beginTwoFactor,
  confirmTwoFactor,
  disableTwoFactor,
  readTwoFactor,
  renewRecoveryCodes,
  resetTwoFactor,
} from '../../platform/two-factor.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'
import { codeOf } from '../support/totp.ts'

let berth: TestPlatform
let platform: Platform

beforeAll(async () => {
  berth = await openTestPlatform(
    { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') },
    { registryKey: true },
  )
  platform = berth.platform
})
afterAll(() => berth?.close())

const codeFrom = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => error.code as string,
  )
const from = { address: '192.0.2.1' }

/** The step that a password leads to. */
async function ticketOf({ email, password }: TestUser, address = from.address): Promise<string> {
  const error = await signIn(platform, { email, password, address }).catch((e) => e)
  expect(error).toBeInstanceOf(SecondStep)
  return error.ticket
}

async function open(user: TestUser): Promise<Viewer & { kind: 'user' }> {
  const { sessionId } = await signIn(platform, { email: user.email, password: user.password, ...from })
  return { kind: 'user', userId: user.id, sessionId }
}

async function withTwoFactor(user: TestUser) {
  const viewer = await open(user)
  const { secret, uri } = await beginTwoFactor(platform, viewer, { password: user.password })
  // Later the app may show another one: tests that want this one again say `first`.
  const first = codeOf(secret)
  const { recoveryCodes } = await confirmTwoFactor(platform, viewer, { code: first })
  return { viewer, secret, uri, first, recoveryCodes }
}

/** As if half a minute had passed: the present code may be used again. */
const nextCode = (userId: string) =>
  platform.db.twoFactor.update({ where: { userId }, data: { lastStep: 0 } })

const isOpen = async (viewer: { sessionId: string | null }) =>
  (await checkSession(platform, viewer.sessionId ?? '')) !== null

test('setting it up needs the password and a first code, shows recovery codes once, and ends other sessions', async () => {
  const user = await berth.makeUser()
  const other = await open(user)
  const viewer = await open(user)
  expect(await codeFrom(beginTwoFactor(platform, viewer, { password: 'wrong' }))).toBe('invalid')
  const { secret, uri } = await beginTwoFactor(platform, viewer, { password: user.password })
  expect(uri).toMatch(/^otpauth:\/\/totp\/Berth%20localhost:.+secret=[A-Z2-7]{32}/)
  expect((await readTwoFactor(platform, viewer)).since).toBeNull()
  // Nothing is asked before it was confirmed: whoever gives up half-way is not locked out.
  expect(await isOpen(await open(user))).toBe(true)
  expect(await codeFrom(confirmTwoFactor(platform, viewer, { code: '000000' }))).toBe('invalid')
  const { recoveryCodes } = await confirmTwoFactor(platform, viewer, { code: codeOf(secret) })
  expect(new Set(recoveryCodes).size).toBe(10)
  for (const code of recoveryCodes) expect(code).toMatch(/^[a-z0-9]{5}(-[a-z0-9]{5}){3}$/)
  expect([await isOpen(viewer), await isOpen(other)]).toEqual([true, false])
  expect(await readTwoFactor(platform, viewer)).toMatchObject({ recoveryCodesLeft: 10, hasPassword: true })
  // Neither is kept in a shape that a copy of the database could be used with.
  const rows = JSON.stringify([
    await platform.db.twoFactor.findMany(),
    await platform.db.recoveryCode.findMany(),
    await platform.db.auditEvent.findMany(),
  ])
  for (const shown of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
    expect(rows).not.toContain(shown)
  expect(await codeFrom(beginTwoFactor(platform, viewer, { password: user.password }))).toBe('conflict')
})

test('signing in needs a code then, and each code works once', async () => {
  const user = await berth.makeUser()
  const { secret, first } = await withTwoFactor(user)
  const ticket = await ticketOf(user)
  const enter = (code: string, given = ticket) => signInWithCode(platform, { ticket: given, code, ...from })
  expect(await codeFrom(enter('000000'))).toBe('unauthenticated')
  // The one that was used to set it up.
  expect(await codeFrom(enter(first))).toBe('unauthenticated')
  const code = codeOf(secret, { ahead: true })
  const { userId } = await enter(code)
  expect(userId).toBe(user.id)
  expect(await codeFrom(enter(code, await ticketOf(user)))).toBe('unauthenticated')
  expect(await codeFrom(enter(first, await ticketOf(user)))).toBe('unauthenticated')
})

test('of ten who send the same code at once one comes in', async () => {
  const user = await berth.makeUser()
  const { secret } = await withTwoFactor(user)
  const tickets = await Promise.all(Array.from({ length: 10 }, (_, n) => ticketOf(user, `10.1.${n}.1`)))
  const code = codeOf(secret, { ahead: true })
  const results = await Promise.all(
    tickets.map((ticket, n) => codeFrom(signInWithCode(platform, { ticket, code, address: `10.1.${n}.1` }))),
  )
  expect(results.filter((result) => result === 'done')).toHaveLength(1)
})

test('a recovery code works once, in any spelling, and new ones replace the old', async () => {
  const user = await berth.makeUser()
  const { viewer, secret, recoveryCodes } = await withTwoFactor(user)
  const [first = '', second = '', third = ''] = recoveryCodes
  const enter = async (code: string) =>
    codeFrom(signInWithCode(platform, { ticket: await ticketOf(user), code, ...from }))
  expect(await enter(first.replaceAll('-', ' ').toUpperCase())).toBe('done')
  expect(await enter(first)).toBe('unauthenticated')
  expect((await readTwoFactor(platform, viewer)).recoveryCodesLeft).toBe(9)
  const told = await platform.db.auditEvent.findMany({ where: { action: 'user.use-recovery-code' } })
  expect(told).toMatchObject([
    { actor: `user:${user.id}`, targetId: user.id, detail: { left: 9 }, address: from.address },
  ])
  expect(await codeFrom(renewRecoveryCodes(platform, viewer, { password: user.password }))).toBe('invalid')
  await nextCode(user.id)
  const fresh = await renewRecoveryCodes(platform, viewer, {
    password: user.password,
    code: codeOf(secret),
  })
  expect(await enter(second)).toBe('unauthenticated')
  expect(await enter(fresh.recoveryCodes[0] ?? '')).toBe('done')
  // Somebody else's is worth nothing.
  const other = await berth.makeUser()
  await withTwoFactor(other)
  const ticket = await ticketOf(other)
  expect(await codeFrom(signInWithCode(platform, { ticket, code: third, ...from }))).toBe('unauthenticated')
})

test('codes can not be guessed: waits grow to an hour, and nobody else is slowed down by them', async () => {
  const user = await berth.makeUser()
  const { secret } = await withTwoFactor(user)
  const attacker = '203.0.113.50'
  const ticket = await ticketOf(user, attacker)
  const guess = () => signInWithCode(platform, { ticket, code: '000000', address: attacker }).catch((e) => e)
  const waits: number[] = []
  for (let n = 0; n < 12; n++) {
    const error = await guess()
    if (error.code === 'rate-limited') {
      waits.push(error.retryAfterSeconds)
      const keys = await platform.redis.keys('berth:guess:*:wait')
      await platform.redis.del(...keys)
    }
  }
  expect(waits[0]).toBeGreaterThan(50)
  expect(waits.at(-1)).toBeGreaterThan(waits[0] ?? 0)
  const mine = await ticketOf(user)
  expect(
    await codeFrom(
      signInWithCode(platform, { ticket: mine, code: codeOf(secret, { ahead: true }), ...from }),
    ),
  ).toBe('done')
})

test('the step after the password ends when the password changes, and when the account is disabled', async () => {
  const user = await berth.makeUser()
  const { secret } = await withTwoFactor(user)
  const [first, second] = [await ticketOf(user), await ticketOf(user)]
  const code = codeOf(secret, { ahead: true })
  await platform.db.user.update({ where: { id: user.id }, data: { passwordHash: 'another' } })
  expect(await codeFrom(signInWithCode(platform, { ticket: first, code, ...from }))).toBe('gone')
  await platform.db.user.update({ where: { id: user.id }, data: { disabledAt: new Date() } })
  expect(await codeFrom(signInWithCode(platform, { ticket: second, code, ...from }))).toBe('gone')
  expect(await codeFrom(signInWithCode(platform, { ticket: 'invented', code, ...from }))).toBe('gone')
})

test('turning it off needs both password and code, and ends other sessions', async () => {
  const user = await berth.makeUser()
  const { viewer, secret } = await withTwoFactor(user)
  const entered = await signInWithCode(platform, {
    ticket: await ticketOf(user),
    code: codeOf(secret, { ahead: true }),
    ...from,
  })
  await nextCode(user.id)
  const { password } = user
  const off = (input: { password?: string; code?: string }) => disableTwoFactor(platform, viewer, input)
  expect(await codeFrom(off({ password }))).toBe('invalid')
  expect(await codeFrom(off({ password: 'wrong', code: codeOf(secret) }))).toBe('invalid')
  await off({ password, code: codeOf(secret) })
  expect([await isOpen(viewer), await isOpen(entered)]).toEqual([true, false])
  expect(await isOpen(await open(user))).toBe(true)
  expect(await platform.db.recoveryCode.count({ where: { userId: user.id } })).toBe(0)
})

test('an administrator takes it away for who lost everything, and nobody else does', async () => {
  const user = await berth.makeUser()
  const { viewer } = await withTwoFactor(user)
  expect(await codeFrom(resetTwoFactor(platform, (await berth.makeUser()).viewer, user.id))).toBe('forbidden')
  await resetTwoFactor(platform, operator, user.id)
  expect(await isOpen(viewer)).toBe(false)
  expect(await isOpen(await open(user))).toBe(true)
  const actions = await platform.db.auditEvent.findMany({ where: { targetId: user.id } })
  expect(actions.map(({ action }) => action)).toEqual([
    'user.begin-two-factor',
    'user.enable-two-factor',
    'user.reset-two-factor',
  ])
})

test('docker login takes no password of such an account, nor what it kept in its place, and a token instead', async () => {
  const user = await berth.makeUser()
  const kept = (await issueRefreshToken(platform, user.viewer)) ?? ''
  expect(await redeemRefreshToken(platform, kept, from.address)).toMatchObject({ userId: user.id })
  await withTwoFactor(user)
  const { secret } = await createToken(platform, user.viewer, { name: 'docker' })
  const login = async (password: string) => {
    const authorization = `Basic ${Buffer.from(`${user.email}:${password}`).toString('base64')}`
    const request = new Request('http://localhost/api/registry/token', { headers: { authorization } })
    const response = await answerRegistryToken(platform, request)
    return [response.status, await response.text()] as const
  }
  const [status, body] = await login(user.password)
  expect(status).toBe(403)
  expect(body).toContain('use an API token')
  expect((await login(secret))[0]).toBe(200)
  expect(await redeemRefreshToken(platform, kept, from.address)).toBeNull()
})

test('a team that asks for it shuts out who has none, his tokens too, until he sets it up; its own tokens go on', async () => {
  const team = await berth.makeTeam()
  const owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
  const member = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const admin = await berth.makeUser({ teamId: team.id, role: 'admin' })
  expect(await codeFrom(requireTwoFactorIn(platform, admin.viewer, team.id, true))).toBe('forbidden')
  expect(await codeFrom(requireTwoFactorIn(platform, owner.viewer, team.id, true))).toBe('conflict')
  const { viewer, secret } = await withTwoFactor(owner)
  await requireTwoFactorIn(platform, viewer, team.id, true)
  const token = { kind: 'token', tokenId: 't', makerId: null, scope: everything } as const
  const personal: Viewer = { ...token, userId: member.id, teamId: null, role: 'owner' }
  const ofTeam: Viewer = { ...token, userId: null, makerId: member.id, teamId: team.id, role: 'viewer' }
  const { id: projectId } = await berth.makeProject(team.id)
  const read = async (who: Viewer) => {
    const answers = await Promise.all([
      codeFrom(requireTeam(platform, who, team.id, 'team.read')),
      codeFrom(requireProject(platform, who, { teamId: team.id, projectId }, 'app.read')),
      codeFrom(requireRepository(platform, who, { teamId: team.id, name: 'shop' }, 'repository.pull')),
    ])
    expect(new Set(answers).size).toBe(1)
    return answers[0]
  }
  expect(await Promise.all([viewer, member.viewer, personal, ofTeam, operator].map(read))).toEqual([
    ...['done', 'second-factor-needed', 'second-factor-needed', 'done', 'done'],
  ])
  // The registry knows neither him nor his token there.
  const scopes = [`repository:${team.slug}/shop:pull,push`]
  const asked = async (who: Viewer) => {
    const { token } = await issueRegistryToken(platform, { viewer: who, scopes })
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).access as unknown[]
  }
  expect(await asked(member.viewer)).toEqual([])
  expect(await asked(viewer)).toHaveLength(1)
  const members = await listMembers(platform, viewer, team.id)
  expect(members.data.map(({ userId, hasTwoFactor }) => [userId, hasTwoFactor])).toEqual([
    [owner.id, true],
    [member.id, false],
    [admin.id, false],
  ])
  // Leaving is open to everybody.
  expect(await codeFrom(leaveTeam(platform, admin.viewer, team.id))).toBe('done')
  await withTwoFactor(member)
  expect(await Promise.all([member.viewer, personal].map(read))).toEqual(['done', 'done'])
  await nextCode(owner.id)
  const off = disableTwoFactor(platform, viewer, { password: owner.password, code: codeOf(secret) })
  expect(await codeFrom(off)).toBe('conflict')
})
