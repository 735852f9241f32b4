import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { askReset, hurryLinkRequests } from '../../platform/link-requests.ts'
import { removeMail } from '../../platform/mail/settings.ts'
import { checkResetLink, resetPassword } from '../../platform/reset-password.ts'
import { checkSession, signIn } from '../../platform/sessions.ts'
import {
  askRegistration,
  changeRegistration,
  checkRegisterLink,
  register,
} from '../../platform/sign-in/registration.ts'
import { beginTwoFactor, confirmTwoFactor } from '../../platform/two-factor.ts'
import { linkIn, textOf } from '../support/mail-server.ts'
import { operator } from '../support/platform.ts'
import { codeOf } from '../support/totp.ts'

import { from, openPostOffice, type PostOffice } from './post-office.ts'

let post: PostOffice

beforeAll(async () => {
  post = await openPostOffice()
})
afterAll(() => post?.close())
beforeEach(() => post.reset())

test('a known and an unknown address get the same answer to “Forgot your password?” after the same work', async () => {
  const { platform } = post.berth
  const { email } = await post.berth.makeUser()
  const { db } = platform
  await db.linkRequest.deleteMany()
  for (const address of [email, 'nobody@example.com'])
    expect(await askReset(platform, { email: address }, from)).toBeUndefined()
  const rows = await db.linkRequest.findMany({ orderBy: { id: 'asc' } })
  const [known, unknown] = rows.map(({ id, email: _, createdAt, expiresAt, ...row }) => row)
  expect(known).toEqual(unknown)
  const queue = platform.queues.forHost(post.berth.config.hostId)
  for (const { id } of rows) expect(await queue.getJob(`answer-link-request-${id}`)).toBeDefined()
  // Were they lost, the worker's round would find them.
  await queue.obliterate({ force: true })
  await hurryLinkRequests(platform)
  for (const { id } of rows) expect(await queue.getJob(`answer-link-request-${id}`)).toBeDefined()
  await post.work()
  expect(post.theLetter().to).toEqual([email])
})

test('a link by e-mail sets a new password once; all sessions end, and a second factor stays in force', async () => {
  const { platform } = post.berth
  const account = await post.berth.makeUser()
  const login = { email: account.email, password: account.password, ...from }
  const { sessionId } = await signIn(platform, login)
  const viewer = { ...account.viewer, sessionId } as typeof account.viewer
  const { secret } = await beginTwoFactor(platform, viewer, { password: account.password })
  await confirmTwoFactor(platform, viewer, { code: codeOf(secret) })
  await askReset(platform, { email: account.email, locale: 'zh-CN' }, from)
  await post.work()
  const mail = post.theLetter()
  expect(textOf(mail)).toContain('请求为您的账户设置新密码')
  const token = new URL(linkIn(mail, 'reset')).searchParams.get('token') ?? ''
  expect(await checkResetLink(platform, token)).toMatchObject({ email: account.email })

  const set = (password: string) => resetPassword(platform, { token, password }, from)
  await expect(set('password1234')).rejects.toMatchObject({ code: 'invalid', fields: [{ path: 'password' }] })
  const password = 'several quite unlikely words'
  const races = await Promise.allSettled(Array.from({ length: 4 }, () => set(password)))
  expect(races.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const race of races)
    if (race.status === 'rejected') expect(race.reason).toMatchObject({ code: 'gone' })
  expect(await checkResetLink(platform, token)).toBeNull()
  expect(await checkSession(platform, sessionId)).toBeNull()
  await expect(signIn(platform, login)).rejects.toMatchObject({ code: 'unauthenticated' })
  await expect(signIn(platform, { ...login, password })).rejects.toMatchObject({
    code: 'second-factor-needed',
  })
  await post.work()
  expect(post.server.received.map(({ to }) => to)).toEqual([[account.email], [account.email]])
  const told = post.server.received[1]
  expect(told && textOf(told)).toContain('Your password was changed')
})

test('whoever mistyped the old password too often signs in with the new one at once', async () => {
  const { platform } = post.berth
  const { email } = await post.berth.makeUser()
  const login = { email, ...from, address: '203.0.113.77' }
  for (let i = 0; i < 5; i++) await signIn(platform, { ...login, password: 'wrong' }).catch(() => undefined)
  await expect(signIn(platform, { ...login, password: 'x' })).rejects.toMatchObject({ code: 'rate-limited' })
  await askReset(platform, { email }, login)
  await post.work()
  const token = new URL(linkIn(post.theLetter(), 'reset')).searchParams.get('token') ?? ''
  const password = 'several quite unlikely words'
  await resetPassword(platform, { token, password }, login)
  expect(await signIn(platform, { ...login, password })).toMatchObject({ sessionId: expect.any(String) })
})

test('links of suspended accounts, old ones and forged ones lead nowhere', async () => {
  const { platform } = post.berth
  const { id, email } = await post.berth.makeUser()
  const password = 'several quite unlikely words'
  await askReset(platform, { email }, from)
  await post.work()
  const token = new URL(linkIn(post.theLetter(), 'reset')).searchParams.get('token') ?? ''
  await platform.db.user.update({ where: { id }, data: { disabledAt: new Date() } })
  expect(await checkResetLink(platform, token)).toBeNull()
  await askReset(platform, { email }, from)
  await post.work()
  expect(post.server.received).toHaveLength(1)
  await platform.db.user.update({ where: { id }, data: { disabledAt: null } })
  await platform.db.linkRequest.updateMany({ where: { userId: id }, data: { expiresAt: new Date() } })
  for (const dead of [token, '', 'x'.repeat(40)])
    await expect(resetPassword(platform, { token: dead, password }, from)).rejects.toMatchObject({
      code: 'gone',
    })
})

test('nobody floods a mailbox: who asks too often is told, and many who ask for one are not', async () => {
  const { platform } = post.berth
  const { email } = await post.berth.makeUser()
  const ask = (address: string) => askReset(platform, { email }, { address })
  for (let i = 0; i < 5; i++) await ask('198.51.100.1')
  await expect(ask('198.51.100.1')).rejects.toMatchObject({ code: 'rate-limited' })
  for (let i = 2; i < 12; i++) expect(await ask(`198.51.100.${i}`)).toBeUndefined()
  await post.work()
  expect(post.server.received).toHaveLength(10)
})

test('a sign-in with a browser that is new to the account is told to its owner', async () => {
  const { platform } = post.berth
  const { email, password } = await post.berth.makeUser()
  const { device } = await signIn(platform, { email, password, ...from })
  await signIn(platform, { email, password, ...from, device })
  await post.work()
  expect(post.server.received).toEqual([])
  await signIn(platform, { email, password, address: '198.51.100.99' })
  await post.work()
  expect(textOf(post.theLetter())).toContain('from 198.51.100.99')
})

test('accounts are made by invitation until an administrator says otherwise, and for his domains alone then', async () => {
  const { platform } = post.berth
  const ask = (email: string) => askRegistration(platform, { email }, from)
  await expect(ask('ada@corp.example')).rejects.toMatchObject({ code: 'forbidden' })
  await expect(
    changeRegistration(platform, operator, { registration: 'domains', domains: [] }),
  ).rejects.toMatchObject({ fields: [{ path: 'domains' }] })
  await changeRegistration(platform, operator, { registration: 'domains', domains: ['Corp.example'] })
  for (const email of ['eve@evil.example', 'eve@sub.corp.example', 'eve@corp.example.evil.example'])
    await expect(ask(email)).rejects.toMatchObject({ code: 'forbidden', fields: [{ path: 'email' }] })
  await ask('Ada@Corp.example')
  await post.work()
  const mail = post.theLetter()
  expect(mail.to).toEqual(['ada@corp.example'])
  const token = new URL(linkIn(mail, 'register')).searchParams.get('token') ?? ''
  expect(await checkRegisterLink(platform, token)).toEqual({ email: 'ada@corp.example' })
  expect(await checkResetLink(platform, token)).toBeNull()
  const input = { token, name: 'Ada', password: 'several quite unlikely words' }
  await changeRegistration(platform, operator, { registration: 'invitation' })
  await expect(register(platform, input)).rejects.toMatchObject({ code: 'forbidden' })
  await changeRegistration(platform, operator, { registration: 'open' })
  const races = await Promise.allSettled(Array.from({ length: 3 }, () => register(platform, input)))
  expect(races.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  await expect(register(platform, input)).rejects.toMatchObject({ code: 'gone' })
  const login = { email: 'ada@corp.example', password: input.password, ...from }
  const { userId } = await signIn(platform, login)
  const user = await platform.db.user.findUniqueOrThrow({
    where: { id: userId },
    include: { memberships: true },
  })
  expect(user).toMatchObject({ isAdmin: false, memberships: [] })
  // Without e-mail nobody could prove an address.
  await expect(removeMail(platform, operator)).rejects.toMatchObject({ code: 'conflict' })
  await changeRegistration(platform, operator, { registration: 'invitation' })
  await removeMail(platform, operator)
  await expect(changeRegistration(platform, operator, { registration: 'open' })).rejects.toMatchObject({
    code: 'conflict',
  })
})

test('whoever asks for an account does not learn whether the address has one; its owner is told', async () => {
  const { platform } = post.berth
  const { email } = await post.berth.makeUser()
  await changeRegistration(platform, operator, { registration: 'open' })
  const { db } = platform
  await db.linkRequest.deleteMany()
  for (const address of [email, 'brand-new@example.com'])
    expect(await askRegistration(platform, { email: address }, from)).toBeUndefined()
  const [known, unknown] = (await db.linkRequest.findMany({ orderBy: { id: 'asc' } })).map(
    ({ id, email: _, createdAt, expiresAt, ...row }) => row,
  )
  expect(known).toEqual(unknown)
  await post.work()
  const told = post.server.received.find(({ to }) => to[0] === email)
  expect(told && textOf(told)).toContain('You have one already')
  expect(told && textOf(told)).not.toContain('token=')
  const asked = post.server.received.find(({ to }) => to[0] === 'brand-new@example.com')
  expect(asked && linkIn(asked, 'register')).toContain('/register?token=')
  await changeRegistration(platform, operator, { registration: 'invitation' })
})
