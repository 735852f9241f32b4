import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { invite, readInvitation } from '../../platform/invitations.ts'
import { answerLinkRequest, askReset, hurryLinkRequests } from '../../platform/link-requests.ts'
import { deliver, hurryDueMail } from '../../platform/mail/outbox.ts'
import { changeMail, readMail, removeMail, testMail } from '../../platform/mail/settings.ts'
import { sendLetter } from '../../platform/mail/transport.ts'
import type { MailSettingsInput } from '../../platform/model/mail-settings.ts'
import { checkResetLink, resetPassword } from '../../platform/reset-password.ts'
import { checkSession, signIn } from '../../platform/sessions.ts'
import {
  askRegistration,
  changeRegistration,
  checkRegisterLink,
  register,
} from '../../platform/sign-in/registration.ts'
import { beginTwoFactor, confirmTwoFactor } from '../../platform/two-factor.ts'
import { type Certificates, makeCertificates } from '../support/certificates.ts'
import {
  headersOf,
  linkIn,
  type MailServer,
  type ReceivedMail,
  startMailServer,
  textOf,
} from '../support/mail-server.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { codeOf } from '../support/totp.ts'

const user = { name: 'berth', password: 'the password of the mailbox' }
let berth: TestPlatform
let server: MailServer
let certificates: Certificates

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  server = await startMailServer({ user })
  certificates = makeCertificates()
})
afterAll(async () => {
  await server?.close()
  await berth?.close()
})

function settings(more: Partial<MailSettingsInput> = {}): MailSettingsInput {
  return {
    ...{ host: '127.0.0.1', port: server.port, security: 'none', user: user.name, password: user.password },
    ...{ from: 'berth@example.org', fromName: 'Berth of Acme' },
    ...more,
  }
}

beforeEach(async () => {
  server.refuse(null)
  server.received.length = 0
  await berth.platform.db.mail.deleteMany()
  await changeMail(berth.platform, operator, settings())
})

const from = { address: '203.0.113.7' }

/** What the worker does with what is in the queue, without waiting for it. */
async function work(): Promise<void> {
  const { db } = berth.platform
  for (const { id } of await db.linkRequest.findMany({ where: { sentAt: null, failure: null } }))
    await answerLinkRequest(berth.platform, id)
  for (const { id } of await db.mail.findMany({ where: { sealed: { not: null } } }))
    await deliver(berth.platform, id).catch(() => undefined)
}

async function theLetter(): Promise<ReceivedMail> {
  const [mail, ...more] = server.received
  if (mail === undefined || more.length > 0)
    throw new Error(`${server.received.length} letters came, not one`)
  return mail
}

/** As though the pauses between attempts were over. */
const wait = () => berth.platform.db.mail.updateMany({ data: { nextAt: new Date(0) } })

test('an invitation goes by e-mail, in the language of the person, and its link is nowhere in the clear', async () => {
  const { platform } = berth
  const team = await berth.makeTeam('Häfen & Söhne')
  const inviter = await berth.makeUser({ teamId: team.id, role: 'owner' })
  const guest = await berth.makeUser()
  await platform.db.user.update({ where: { id: guest.id }, data: { locale: 'zh-CN' } })
  const { url, mailed } = await invite(platform, inviter.viewer, team.id, { email: guest.email })
  expect(mailed).toBe(true)

  const [row] = await platform.db.mail.findMany()
  const queue = platform.queues.forHost(berth.config.hostId)
  const job = await queue.getJob(`send-mail-${row?.id}`)
  expect(job?.opts).toMatchObject({ attempts: 8, backoff: { type: 'exponential' } })
  const token = new URL(url).searchParams.get('token') ?? ''
  for (const kept of [row, job?.data]) expect(JSON.stringify(kept)).not.toContain(token)

  await work()
  const mail = await theLetter()
  expect(mail).toMatchObject({ from: 'berth@example.org', to: [guest.email] })
  expect(textOf(mail)).toContain('邀请您加入团队 Häfen & Söhne')
  expect(linkIn(mail, 'join')).toBe(url)
  expect(await readInvitation(platform, token)).toMatchObject({ email: guest.email })
  const [sent] = await platform.db.mail.findMany()
  expect(sent).toMatchObject({ sealed: null, sentAt: expect.any(Date), failure: null })

  const stranger = await invite(platform, inviter.viewer, team.id, { email: 'new@example.net' })
  await work()
  const second = server.received.at(-1)
  expect(second && textOf(second)).toContain('invites you to the team Häfen & Söhne')
  expect(second && linkIn(second, 'join')).toBe(stranger.url)
})

test('a mail server that is away keeps nobody waiting and loses nothing', async () => {
  const { platform } = berth
  const away = await startMailServer({ user })
  await away.close()
  await changeMail(platform, operator, settings({ port: away.port }))
  const team = await berth.makeTeam()
  const before = performance.now()
  const { url } = await invite(platform, operator, team.id, { email: 'late@example.net' })
  expect(performance.now() - before).toBeLessThan(3_000)

  const [{ id } = { id: '' }] = await platform.db.mail.findMany()
  await expect(deliver(platform, id)).rejects.toThrow(`127.0.0.1:${away.port} could not be used`)
  const state = await readMail(platform, operator)
  expect(state).toMatchObject({
    waiting: 1,
    lastFailure: { reason: expect.stringContaining('ECONNREFUSED') },
  })
  // The queue was lost: the worker's round puts it there again, once its pause is over.
  const queue = platform.queues.forHost(berth.config.hostId)
  await queue.obliterate({ force: true })
  await wait()
  await hurryDueMail(platform)
  expect(await queue.getJob(`send-mail-${id}`)).toBeDefined()

  const back = await startMailServer({ user, port: away.port })
  try {
    back.refuse({ code: 451, text: '4.7.1 Greylisted, come again' })
    await expect(deliver(platform, id)).rejects.toThrow('451 4.7.1 Greylisted')
    // Two workers at once: one of them sends it.
    back.refuse(null)
    await wait()
    await Promise.all([deliver(platform, id), deliver(platform, id)])
    expect(back.received.map((mail) => linkIn(mail, 'join'))).toEqual([url])
    await wait()
    await deliver(platform, id)
    expect(back.received).toHaveLength(1)
  } finally {
    await back.close()
  }
  expect(await readMail(platform, operator)).toMatchObject({ waiting: 0, lastFailure: null })
})

test('what the server will never take, and what came too late, is given up with the reason kept', async () => {
  const { platform } = berth
  const team = await berth.makeTeam()
  server.refuse({ code: 550, text: '5.1.1 No such mailbox' })
  await invite(platform, operator, team.id, { email: 'typo@example.net' })
  await work()
  expect(await platform.db.mail.findMany()).toMatchObject([
    { sealed: null, sentAt: null, failure: expect.stringContaining('550 5.1.1 No such mailbox') },
  ])
  server.refuse(null)
  await invite(platform, operator, team.id, { email: 'late@example.net' })
  await platform.db.mail.updateMany({ data: { expiresAt: new Date(0) } })
  await work()
  expect(server.received).toEqual([])
  expect(await readMail(platform, operator)).toMatchObject({ waiting: 0, lastFailure: expect.any(Object) })
})

test('TLS is used where it was asked for, and nothing is said to a server that has none, or a forged one', async () => {
  const { platform } = berth
  const send = async () => testMail(platform, operator, { to: 'ada@example.org' })
  const tls = { key: certificates.key, cert: certificates.cert }
  const upgrading = await startMailServer({ user, tls })
  const wrapped = await startMailServer({ user, tls: { ...tls, implicit: true } })
  try {
    const before = server.signIns
    await changeMail(platform, operator, settings({ security: 'starttls' }))
    expect(await send()).toMatchObject({ taken: false, answer: expect.stringMatching(/STARTTLS/) })
    expect(server.signIns).toBe(before)
    for (const [at, security] of [
      [upgrading, 'starttls'],
      [wrapped, 'tls'],
    ] as const) {
      await changeMail(platform, operator, settings({ port: at.port, security }))
      expect(await send()).toMatchObject({ taken: false, answer: expect.stringMatching(/certificate/) })
      expect([at.received, at.signIns]).toEqual([[], 0])
      await changeMail(
        platform,
        operator,
        settings({ port: at.port, security, authority: certificates.ca, password: undefined }),
      )
      expect(await send()).toEqual({ taken: true, answer: expect.stringContaining('taken as test-1') })
      expect(at.received).toMatchObject([{ secure: true, to: ['ada@example.org'] }])
    }
  } finally {
    await upgrading.close()
    await wrapped.close()
  }
  expect(server.received).toEqual([])
})

test('a test message says what the server said, in its own words, and a silent server ends it', async () => {
  const { platform } = berth
  const send = async () => testMail(platform, operator, { to: 'ada@example.org' })
  await changeMail(platform, operator, settings({ password: 'a wrong one' }))
  expect(await send()).toEqual({
    taken: false,
    answer: `127.0.0.1:${server.port} answered: 535 5.7.8 Wrong user or password`,
  })
  await changeMail(platform, operator, settings())
  server.refuse({ code: 554, text: '5.7.1 Relaying denied' })
  expect(await send()).toMatchObject({ taken: false, answer: expect.stringContaining('554 5.7.1 Relaying') })
  const silent = await startMailServer()
  silent.stall(true)
  try {
    const account = {
      ...settings({ port: silent.port }),
      authority: '',
      fromName: 'x',
      user: '',
      password: '',
    }
    const letter = { id: 'mail_1', to: 'ada@example.org', subject: 'x', text: 'x' }
    const sending = sendLetter({ security: 'none', ...account }, letter, AbortSignal.timeout(200))
    await expect(sending).rejects.toMatchObject({ name: 'MailFailure', isTemporary: true })
  } finally {
    await silent.close()
  }
})

test('no name or address makes a header or a recipient of its own', async () => {
  const { platform } = berth
  const account = {
    ...settings(),
    security: 'none',
    authority: '',
    fromName: 'Berth',
    user: user.name,
  } as const
  const letter = { id: 'mail_1', to: 'ada@example.org', subject: 'Hello', text: 'x' }
  const password = user.password
  for (const forged of [
    { subject: 'Hello\r\nBcc: eve@example.net' },
    { subject: 'Hello\u2028Bcc: eve@example.net' },
    { to: 'ada@example.org\r\nRCPT TO:<eve@example.net>' },
    { id: 'x>\nBcc: eve@example.net' },
  ])
    await expect(sendLetter({ ...account, password }, { ...letter, ...forged })).rejects.toMatchObject({
      isTemporary: false,
    })
  expect(server.received).toEqual([])
  const team = await berth.makeTeam(`a, "b" <eve@example.net>; =?utf-8?q?x?= ${'Ä'.repeat(39)}`)
  await expect(
    invite(platform, operator, team.id, { email: 'a@example.org, eve@example.net' }),
  ).rejects.toThrow('must be an e-mail address')
  for (const fromName of ['x\r\nBcc: eve@example.net', 'x\0'])
    await expect(changeMail(platform, operator, settings({ fromName }))).rejects.toMatchObject({
      fields: [{ path: 'fromName' }],
    })
  await invite(platform, operator, team.id, { email: 'ada@example.org' })
  await work()
  const mail = await theLetter()
  expect(mail.to).toEqual(['ada@example.org'])
  const names = headersOf(mail).map(([name]) => name.toLowerCase())
  expect(new Set(names).size).toBe(names.length)
  expect(names).not.toContain('bcc')
  expect(Object.fromEntries(headersOf(mail))).toMatchObject({
    To: 'ada@example.org',
    'Auto-Submitted': 'auto-generated',
  })
})

test('the mailbox’s password is told to nobody, and goes to no other server', async () => {
  const { platform } = berth
  const state = await readMail(platform, operator)
  expect(state.server).toMatchObject({ host: '127.0.0.1', user: user.name, hasPassword: true })
  const { smtp } = await platform.db.installation.findUniqueOrThrow({ where: { id: 'installation' } })
  const log = await platform.db.auditEvent.findMany({ where: { action: { contains: 'mail' } } })
  for (const told of [state, smtp, log]) expect(JSON.stringify(told)).not.toContain(user.password)
  const elsewhere = settings({ host: 'localhost', password: undefined })
  await expect(changeMail(platform, operator, elsewhere)).rejects.toMatchObject({
    fields: [{ path: 'password' }],
  })
  await changeMail(platform, operator, settings({ fromName: 'Other', password: undefined }))
  expect(await testMail(platform, operator, { to: 'ada@example.org' })).toMatchObject({ taken: true })
})

test('a known and an unknown address get the same answer to “Forgot your password?” after the same work', async () => {
  const { platform } = berth
  const { email } = await berth.makeUser()
  const { db } = platform
  await db.linkRequest.deleteMany()
  for (const address of [email, 'nobody@example.com'])
    expect(await askReset(platform, { email: address }, from)).toBeUndefined()
  const rows = await db.linkRequest.findMany({ orderBy: { id: 'asc' } })
  const [known, unknown] = rows.map(({ id, email: _, createdAt, expiresAt, ...row }) => row)
  expect(known).toEqual(unknown)
  const queue = platform.queues.forHost(berth.config.hostId)
  for (const { id } of rows) expect(await queue.getJob(`answer-link-request-${id}`)).toBeDefined()
  // Were they lost, the worker's round would find them.
  await queue.obliterate({ force: true })
  await hurryLinkRequests(platform)
  for (const { id } of rows) expect(await queue.getJob(`answer-link-request-${id}`)).toBeDefined()
  await work()
  expect((await theLetter()).to).toEqual([email])
})

test('a link by e-mail sets a new password once; all sessions end, and a second factor stays in force', async () => {
  const { platform } = berth
  const account = await berth.makeUser()
  const login = { email: account.email, password: account.password, ...from }
  const { sessionId } = await signIn(platform, login)
  const viewer = { ...account.viewer, sessionId } as typeof account.viewer
  const { secret } = await beginTwoFactor(platform, viewer, { password: account.password })
  await confirmTwoFactor(platform, viewer, { code: codeOf(secret) })
  await askReset(platform, { email: account.email, locale: 'zh-CN' }, from)
  await work()
  const mail = await theLetter()
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
  await work()
  expect(server.received.map(({ to }) => to)).toEqual([[account.email], [account.email]])
  const told = server.received[1]
  expect(told && textOf(told)).toContain('Your password was changed')
})

test('whoever mistyped the old password too often signs in with the new one at once', async () => {
  const { platform } = berth
  const { email } = await berth.makeUser()
  const login = { email, ...from, address: '203.0.113.77' }
  for (let i = 0; i < 5; i++) await signIn(platform, { ...login, password: 'wrong' }).catch(() => undefined)
  await expect(signIn(platform, { ...login, password: 'x' })).rejects.toMatchObject({ code: 'rate-limited' })
  await askReset(platform, { email }, login)
  await work()
  const token = new URL(linkIn(await theLetter(), 'reset')).searchParams.get('token') ?? ''
  const password = 'several quite unlikely words'
  await resetPassword(platform, { token, password }, login)
  expect(await signIn(platform, { ...login, password })).toMatchObject({ sessionId: expect.any(String) })
})

test('links of suspended accounts, old ones and forged ones lead nowhere', async () => {
  const { platform } = berth
  const { id, email } = await berth.makeUser()
  const password = 'several quite unlikely words'
  await askReset(platform, { email }, from)
  await work()
  const token = new URL(linkIn(await theLetter(), 'reset')).searchParams.get('token') ?? ''
  await platform.db.user.update({ where: { id }, data: { disabledAt: new Date() } })
  expect(await checkResetLink(platform, token)).toBeNull()
  await askReset(platform, { email }, from)
  await work()
  expect(server.received).toHaveLength(1)
  await platform.db.user.update({ where: { id }, data: { disabledAt: null } })
  await platform.db.linkRequest.updateMany({ where: { userId: id }, data: { expiresAt: new Date() } })
  for (const dead of [token, '', 'x'.repeat(40)])
    await expect(resetPassword(platform, { token: dead, password }, from)).rejects.toMatchObject({
      code: 'gone',
    })
})

test('nobody floods a mailbox: who asks too often is told, and many who ask for one are not', async () => {
  const { platform } = berth
  const { email } = await berth.makeUser()
  const ask = (address: string) => askReset(platform, { email }, { address })
  for (let i = 0; i < 5; i++) await ask('198.51.100.1')
  await expect(ask('198.51.100.1')).rejects.toMatchObject({ code: 'rate-limited' })
  for (let i = 2; i < 12; i++) expect(await ask(`198.51.100.${i}`)).toBeUndefined()
  await work()
  expect(server.received).toHaveLength(10)
})

test('a sign-in with a browser that is new to the account is told to its owner', async () => {
  const { platform } = berth
  const { email, password } = await berth.makeUser()
  const { device } = await signIn(platform, { email, password, ...from })
  await signIn(platform, { email, password, ...from, device })
  await work()
  expect(server.received).toEqual([])
  await signIn(platform, { email, password, address: '198.51.100.99' })
  await work()
  expect(textOf(await theLetter())).toContain('from 198.51.100.99')
})

test('accounts are made by invitation until an administrator says otherwise, and for his domains alone then', async () => {
  const { platform } = berth
  const ask = (email: string) => askRegistration(platform, { email }, from)
  await expect(ask('ada@corp.example')).rejects.toMatchObject({ code: 'forbidden' })
  await expect(
    changeRegistration(platform, operator, { registration: 'domains', domains: [] }),
  ).rejects.toMatchObject({ fields: [{ path: 'domains' }] })
  await changeRegistration(platform, operator, { registration: 'domains', domains: ['Corp.example'] })
  for (const email of ['eve@evil.example', 'eve@sub.corp.example', 'eve@corp.example.evil.example'])
    await expect(ask(email)).rejects.toMatchObject({ code: 'forbidden', fields: [{ path: 'email' }] })
  await ask('Ada@Corp.example')
  await work()
  const mail = await theLetter()
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
  const { platform } = berth
  const { email } = await berth.makeUser()
  await changeRegistration(platform, operator, { registration: 'open' })
  const { db } = platform
  await db.linkRequest.deleteMany()
  for (const address of [email, 'brand-new@example.com'])
    expect(await askRegistration(platform, { email: address }, from)).toBeUndefined()
  const [known, unknown] = (await db.linkRequest.findMany({ orderBy: { id: 'asc' } })).map(
    ({ id, email: _, createdAt, expiresAt, ...row }) => row,
  )
  expect(known).toEqual(unknown)
  await work()
  const told = server.received.find(({ to }) => to[0] === email)
  expect(told && textOf(told)).toContain('You have one already')
  expect(told && textOf(told)).not.toContain('token=')
  const asked = server.received.find(({ to }) => to[0] === 'brand-new@example.com')
  expect(asked && linkIn(asked, 'register')).toContain('/register?token=')
  await changeRegistration(platform, operator, { registration: 'invitation' })
})

test('without a mail server links are passed on by hand, and what needs e-mail says so', async () => {
  const { platform } = berth
  await removeMail(platform, operator)
  const team = await berth.makeTeam()
  expect(await invite(platform, operator, team.id, { email: 'ada@example.org' })).toMatchObject({
    mailed: false,
    url: expect.stringContaining('/join?token='),
  })
  await expect(askReset(platform, { email: 'ada@example.org' }, from)).rejects.toMatchObject({
    code: 'conflict',
    message: 'This Berth sends no e-mail. Ask an administrator for a link.',
  })
  await expect(testMail(platform, operator, { to: 'ada@example.org' })).rejects.toMatchObject({
    code: 'conflict',
  })
  expect(await platform.db.mail.count()).toBe(0)
})
