import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { changePassword, listSessions, revokeOtherSessions, revokeSession } from '../../platform/account.ts'
import { everything } from '../../platform/model/scopes.ts'
import type { Platform } from '../../platform/open.ts'
import { requireStrongPassword } from '../../platform/password-strength.ts'
import { checkSession, signIn } from '../../platform/sessions.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let platform: Platform

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = berth.platform
})
afterAll(() => berth?.close())

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => error.code,
  )

async function open(user: TestUser, userAgent = 'a browser'): Promise<Viewer & { kind: 'user' }> {
  const { email, password } = user
  const { sessionId } = await signIn(platform, { email, password, address: '192.0.2.1', userAgent })
  return { kind: 'user', userId: user.id, sessionId }
}

const isOpen = async (viewer: { sessionId: string | null }) =>
  (await checkSession(platform, viewer.sessionId ?? '')) !== null

test('a person sees where she is signed in, and ends one or all others, at once', async () => {
  const user = await berth.makeUser()
  const [first, second, third] = [await open(user, 'phone'), await open(user, 'laptop'), await open(user)]
  const { data } = await listSessions(platform, second)
  expect(data.map(({ userAgent, isCurrent, address }) => [userAgent, isCurrent, address])).toEqual([
    ['a browser', false, '192.0.2.1'],
    ['laptop', true, '192.0.2.1'],
    ['phone', false, '192.0.2.1'],
  ])
  await revokeSession(platform, second, first.sessionId ?? '')
  expect(await Promise.all([first, second, third].map(isOpen))).toEqual([false, true, true])
  expect(await codeOf(revokeSession(platform, second, first.sessionId ?? ''))).toBe('not-found')
  expect(await revokeOtherSessions(platform, second)).toBe(1)
  expect(await Promise.all([second, third].map(isOpen))).toEqual([true, false])
  expect((await listSessions(platform, second)).data).toMatchObject([{ userAgent: 'laptop' }])
})

test("nobody sees or ends another's sessions, and no token does either", async () => {
  const hers = await open(await berth.makeUser())
  const his = await open(await berth.makeUser())
  expect(await codeOf(revokeSession(platform, his, hers.sessionId ?? ''))).toBe('not-found')
  expect(await isOpen(hers)).toBe(true)
  const token: Viewer = {
    kind: 'token',
    tokenId: 't',
    userId: hers.userId,
    makerId: null,
    teamId: null,
    role: 'owner',
    scope: everything,
  }
  const input = { current: 'x', password: 'several unlikely words' }
  for (const viewer of [token, operator]) {
    expect(await codeOf(listSessions(platform, viewer))).toBe('forbidden')
    expect(await codeOf(revokeOtherSessions(platform, viewer))).toBe('forbidden')
    expect(await codeOf(changePassword(platform, viewer, input))).toBe('forbidden')
  }
})

test('a new password needs the present one, ends all other sessions, and is written down without itself', async () => {
  const user = await berth.makeUser()
  const [other, viewer] = [await open(user), await open(user)]
  const password = 'several unlikely words'
  await expect(changePassword(platform, viewer, { current: 'guess', password })).rejects.toMatchObject({
    fields: [{ path: 'current' }],
  })
  expect(await isOpen(other)).toBe(true)
  await changePassword(platform, viewer, { current: user.password, password })
  expect(await Promise.all([other, viewer].map(isOpen))).toEqual([false, true])
  expect(await codeOf(open(user))).toBe('unauthenticated')
  expect(await isOpen(await open({ ...user, password }))).toBe(true)
  const [event] = await platform.db.auditEvent.findMany({ where: { action: 'user.change-password' } })
  expect(event).toMatchObject({ targetId: user.id, actor: `user:${user.id}` })
  expect(JSON.stringify(event)).not.toContain(password)
})

test('whoever sits at an open session can not guess the password without end', async () => {
  const viewer = await open(await berth.makeUser())
  const guess = () =>
    codeOf(changePassword(platform, viewer, { current: 'guess', password: 'several unlikely words' }))
  const codes: string[] = []
  for (let n = 0; n < 12; n++) codes.push(await guess())
  expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'invalid'))
  expect(codes.slice(10)).toEqual(['rate-limited', 'rate-limited'])
})

test('passwords of known breaches, rows of keys and what everybody knows of the person are refused', async () => {
  const known = ['ada.lovelace@example.com', 'Ada Lovelace']
  const weak = [
    '123456qwerty',
    'passwordpassword',
    'qwertyuiopasdf',
    'aaaaaaaaaaaaaa',
    'adalovelace1',
    'ada.lovelace@example.com',
  ]
  for (const password of weak)
    await expect(requireStrongPassword(password, known), password).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: 'password' }],
    })
  for (const password of ['correct horse battery', '三个不相干的词语放在一起吧', 'tR4!kq_92Lmz'])
    await expect(requireStrongPassword(password, known), password).resolves.toBeUndefined()
})
