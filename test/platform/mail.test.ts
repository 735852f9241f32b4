import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { invite, readInvitation } from '../../platform/invitations.ts'
import { askReset } from '../../platform/link-requests.ts'
import { deliver, hurryDueMail } from '../../platform/mail/outbox.ts'
import { changeMail, readMail, removeMail, testMail } from '../../platform/mail/settings.ts'
import { sendLetter } from '../../platform/mail/transport.ts'
import { type Certificates, makeCertificates } from '../support/certificates.ts'
import { headersOf, linkIn, startMailServer, textOf } from '../support/mail-server.ts'
import { operator } from '../support/platform.ts'

import { from, openPostOffice, type PostOffice, user } from './post-office.ts'

let post: PostOffice
let certificates: Certificates

beforeAll(async () => {
  post = await openPostOffice()
  certificates = makeCertificates()
})
afterAll(() => post?.close())
beforeEach(() => post.reset())

test('an invitation goes by e-mail, in the language of the person, and its link is nowhere in the clear', async () => {
  const { platform } = post.berth
  const team = await post.berth.makeTeam('Häfen & Söhne')
  const inviter = await post.berth.makeUser({ teamId: team.id, role: 'owner' })
  const guest = await post.berth.makeUser()
  await platform.db.user.update({ where: { id: guest.id }, data: { locale: 'zh-CN' } })
  // Whoever has the link may be that person here: the inviter doesn't get it, nor who reads his answers.
  const invited = await invite(platform, inviter.viewer, team.id, { email: guest.email })
  expect(invited).toMatchObject({ mailed: true, url: null })

  const [row] = await platform.db.mail.findMany()
  const queue = platform.queues.forHost(post.berth.config.hostId)
  const job = await queue.getJob(`send-mail-${row?.id}`)
  expect(job?.opts).toMatchObject({ attempts: 8, backoff: { type: 'exponential' } })

  await post.work()
  const mail = post.theLetter()
  const token = new URL(linkIn(mail, 'join')).searchParams.get('token') ?? ''
  for (const kept of [row, job?.data]) expect(JSON.stringify(kept)).not.toContain(token)
  expect(mail).toMatchObject({ from: 'berth@example.org', to: [guest.email] })
  expect(textOf(mail)).toContain('邀请您加入团队 Häfen & Söhne')
  expect(await readInvitation(platform, token)).toMatchObject({ email: guest.email })
  const [sent] = await platform.db.mail.findMany()
  expect(sent).toMatchObject({ sealed: null, sentAt: expect.any(Date), failure: null })

  await invite(platform, inviter.viewer, team.id, { email: 'new@example.net' })
  await post.work()
  const second = post.server.received.at(-1)
  expect(second && textOf(second)).toContain('invites you to the team Häfen & Söhne')
  expect(second && linkIn(second, 'join')).toContain('/join?token=')
})

test('a mail server that is away keeps nobody waiting and loses nothing', async () => {
  const { platform } = post.berth
  const away = await startMailServer({ user })
  await away.close()
  await changeMail(platform, operator, post.settings({ port: away.port }))
  const team = await post.berth.makeTeam()
  const before = performance.now()
  await invite(platform, operator, team.id, { email: 'late@example.net' })
  expect(performance.now() - before).toBeLessThan(3_000)

  const [{ id } = { id: '' }] = await platform.db.mail.findMany()
  await expect(deliver(platform, id)).rejects.toThrow(`127.0.0.1:${away.port} could not be used`)
  const state = await readMail(platform, operator)
  expect(state).toMatchObject({
    waiting: 1,
    lastFailure: { reason: expect.stringContaining('ECONNREFUSED') },
  })
  // The queue was lost: the worker's round puts it there again, once its pause is over.
  const queue = platform.queues.forHost(post.berth.config.hostId)
  await queue.obliterate({ force: true })
  await post.wait()
  await hurryDueMail(platform)
  expect(await queue.getJob(`send-mail-${id}`)).toBeDefined()

  const back = await startMailServer({ user, port: away.port })
  try {
    back.refuse({ code: 451, text: '4.7.1 Greylisted, come again' })
    await expect(deliver(platform, id)).rejects.toThrow('451 4.7.1 Greylisted')
    // Two workers at once: one of them sends it.
    back.refuse(null)
    await post.wait()
    await Promise.all([deliver(platform, id), deliver(platform, id)])
    expect(back.received).toHaveLength(1)
    const link = back.received[0] && linkIn(back.received[0], 'join')
    expect(await readInvitation(platform, link?.split('token=')[1] ?? '')).toMatchObject({
      email: 'late@example.net',
    })
    await post.wait()
    await deliver(platform, id)
    expect(back.received).toHaveLength(1)
  } finally {
    await back.close()
  }
  expect(await readMail(platform, operator)).toMatchObject({ waiting: 0, lastFailure: null })
})

test('what the server will never take, and what came too late, is given up with the reason kept', async () => {
  const { platform } = post.berth
  const team = await post.berth.makeTeam()
  post.server.refuse({ code: 550, text: '5.1.1 No such mailbox' })
  await invite(platform, operator, team.id, { email: 'typo@example.net' })
  await post.work()
  expect(await platform.db.mail.findMany()).toMatchObject([
    { sealed: null, sentAt: null, failure: expect.stringContaining('550 5.1.1 No such mailbox') },
  ])
  post.server.refuse(null)
  await invite(platform, operator, team.id, { email: 'late@example.net' })
  await platform.db.mail.updateMany({ data: { expiresAt: new Date(0) } })
  await post.work()
  expect(post.server.received).toEqual([])
  expect(await readMail(platform, operator)).toMatchObject({ waiting: 0, lastFailure: expect.any(Object) })
})

test('TLS is used where it was asked for, and nothing is said to a server that has none, or a forged one', async () => {
  const { platform } = post.berth
  const send = async () => testMail(platform, operator, { to: 'ada@example.org' })
  const tls = { key: certificates.key, cert: certificates.cert }
  const upgrading = await startMailServer({ user, tls })
  const wrapped = await startMailServer({ user, tls: { ...tls, implicit: true } })
  try {
    const before = post.server.signIns
    await changeMail(platform, operator, post.settings({ security: 'starttls' }))
    expect(await send()).toMatchObject({ taken: false, answer: expect.stringMatching(/STARTTLS/) })
    expect(post.server.signIns).toBe(before)
    for (const [at, security] of [
      [upgrading, 'starttls'],
      [wrapped, 'tls'],
    ] as const) {
      await changeMail(platform, operator, post.settings({ port: at.port, security }))
      expect(await send()).toMatchObject({ taken: false, answer: expect.stringMatching(/certificate/) })
      expect([at.received, at.signIns]).toEqual([[], 0])
      await changeMail(
        platform,
        operator,
        post.settings({ port: at.port, security, authority: certificates.ca, password: undefined }),
      )
      expect(await send()).toEqual({ taken: true, answer: expect.stringContaining('taken as test-1') })
      expect(at.received).toMatchObject([{ secure: true, to: ['ada@example.org'] }])
    }
  } finally {
    await upgrading.close()
    await wrapped.close()
  }
  expect(post.server.received).toEqual([])
})

test('a test message says what the server said, in its own words, and a silent server ends it', async () => {
  const { platform } = post.berth
  const send = async () => testMail(platform, operator, { to: 'ada@example.org' })
  await changeMail(platform, operator, post.settings({ password: 'a wrong one' }))
  expect(await send()).toEqual({
    taken: false,
    answer: `127.0.0.1:${post.server.port} answered: 535 5.7.8 Wrong user or password`,
  })
  await changeMail(platform, operator, post.settings())
  post.server.refuse({ code: 554, text: '5.7.1 Relaying denied' })
  expect(await send()).toMatchObject({ taken: false, answer: expect.stringContaining('554 5.7.1 Relaying') })
  const silent = await startMailServer()
  silent.stall(true)
  try {
    const account = {
      ...post.settings({ port: silent.port }),
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
  const { platform } = post.berth
  const account = {
    ...post.settings(),
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
  expect(post.server.received).toEqual([])
  const team = await post.berth.makeTeam(`a, "b" <eve@example.net>; =?utf-8?q?x?= ${'Ä'.repeat(39)}`)
  await expect(
    invite(platform, operator, team.id, { email: 'a@example.org, eve@example.net' }),
  ).rejects.toThrow('must be an e-mail address')
  for (const fromName of ['x\r\nBcc: eve@example.net', 'x\0'])
    await expect(changeMail(platform, operator, post.settings({ fromName }))).rejects.toMatchObject({
      fields: [{ path: 'fromName' }],
    })
  await invite(platform, operator, team.id, { email: 'ada@example.org' })
  await post.work()
  const mail = post.theLetter()
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
  const { platform } = post.berth
  const state = await readMail(platform, operator)
  expect(state.server).toMatchObject({ host: '127.0.0.1', user: user.name, hasPassword: true })
  const { smtp } = await platform.db.installation.findUniqueOrThrow({ where: { id: 'installation' } })
  const log = await platform.db.auditEvent.findMany({ where: { action: { contains: 'mail' } } })
  for (const told of [state, smtp, log]) expect(JSON.stringify(told)).not.toContain(user.password)
  const elsewhere = post.settings({ host: 'localhost', password: undefined })
  await expect(changeMail(platform, operator, elsewhere)).rejects.toMatchObject({
    fields: [{ path: 'password' }],
  })
  await changeMail(platform, operator, post.settings({ fromName: 'Other', password: undefined }))
  expect(await testMail(platform, operator, { to: 'ada@example.org' })).toMatchObject({ taken: true })
})

test('without a mail server links are passed on by hand, and what needs e-mail says so', async () => {
  const { platform } = post.berth
  await removeMail(platform, operator)
  const team = await post.berth.makeTeam()
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
