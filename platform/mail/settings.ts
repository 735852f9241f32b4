import { requireInstallation, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { type Facts, Masked } from '../audit-changes.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { newId } from '../model/ids.ts'
import {
  type MailSettingsInput,
  type MailState,
  mailSettingsSchema,
  type TestMailInput,
  testMailSchema,
} from '../model/mail-settings.ts'
import type { Platform } from '../open.ts'
import { countAttempt } from '../rate-limit.ts'
import { seal } from '../secrets.ts'
import { validate } from '../validate.ts'
import { openAccount, passwordContext, readStoredAccount, type StoredAccount } from './account.ts'
import { mailLanguage, writeLetter } from './texts.ts'
import { MailFailure, sendLetter } from './transport.ts'

const id = 'installation'

/** How e-mail is sent, and how that goes. The password is never told. */
export async function readMail(platform: Platform, viewer: Viewer): Promise<MailState> {
  await requireInstallation(platform, viewer, 'installation.read-sign-in')
  const { db } = platform
  const weekAgo = new Date(Date.now() - 7 * 86_400_000)
  const [stored, waiting, failed, sent] = await Promise.all([
    readStoredAccount(db),
    db.mail.count({ where: { sealed: { not: null } } }),
    db.mail.findFirst({
      where: { failure: { not: null }, createdAt: { gt: weekAgo } },
      orderBy: { id: 'desc' },
    }),
    db.mail.findFirst({ where: { sentAt: { not: null } }, orderBy: { sentAt: 'desc' } }),
  ])
  const isOver = failed === null || (sent?.sentAt ?? weekAgo) > failed.createdAt
  return {
    server: stored === null ? null : show(stored),
    waiting,
    lastFailure: isOver ? null : { at: failed.createdAt.toISOString(), reason: failed.failure ?? '' },
  }
}

/** Throws `invalid` for a server that changed without its password being given. */
export async function changeMail(
  platform: Platform,
  viewer: Viewer,
  input: MailSettingsInput,
): Promise<MailState> {
  await requireInstallation(platform, viewer, 'installation.change-sign-in')
  const { password, ...account } = validate(mailSettingsSchema, input)
  await platform.db.$transaction(async (tx) => {
    await lockSettings(tx)
    const before = await readStoredAccount(tx)
    const sealedPassword = sealPassword(platform, account, password, before)
    await tx.installation.update({ where: { id }, data: { smtp: { ...account, sealedPassword } } })
    await record(tx, viewer, {
      teamId: null,
      action: 'installation.change-mail',
      before: before === null ? undefined : factsOf(before),
      after: factsOf({ ...account, sealedPassword }),
    })
  })
  return readMail(platform, viewer)
}

/** From now on links are shown to be passed on. Throws `conflict` while registration needs e-mail. */
export async function removeMail(platform: Platform, viewer: Viewer): Promise<void> {
  await requireInstallation(platform, viewer, 'installation.change-sign-in')
  await platform.db.$transaction(async (tx) => {
    await lockSettings(tx)
    const { registration } = await tx.installation.findUniqueOrThrow({ where: { id } })
    if (registration !== 'invitation')
      throw new PlatformError('conflict', 'Registration needs e-mail. Set it to “by invitation” first.')
    const before = await readStoredAccount(tx)
    await tx.installation.update({ where: { id }, data: { smtp: Prisma.DbNull } })
    await record(tx, viewer, {
      ...{ teamId: null, action: 'installation.remove-mail' },
      before: before === null ? undefined : factsOf(before),
    })
  })
}

/** By person: a test is no way to send e-mail to everybody. */
const tests = { name: 'mail-test', limit: 20, windowSeconds: 3_600 }

/**
 * Sends a letter at once, by the settings that are kept. Answers with the server's own words, whether it took the letter
 * or not. Throws `conflict` where no server is configured.
 */
export async function testMail(
  platform: Platform,
  viewer: Viewer,
  input: TestMailInput,
): Promise<{ taken: boolean; answer: string }> {
  await requireInstallation(platform, viewer, 'installation.change-sign-in')
  const { to } = validate(testMailSchema, input)
  const account = await openAccount(platform)
  if (account === null) throw new PlatformError('conflict', 'No mail server is configured.')
  await countAttempt(platform, tests, viewer.kind === 'user' ? viewer.userId : viewer.kind)
  const locale =
    viewer.kind === 'user'
      ? (await platform.db.user.findUnique({ where: { id: viewer.userId } }))?.locale
      : null
  await platform.db.$transaction((tx) =>
    record(tx, viewer, { teamId: null, action: 'installation.test-mail', detail: { to } }),
  )
  try {
    const letter = { id: newId('mail'), to, ...writeLetter('test', mailLanguage(locale), {}) }
    // Below the API's own limit, so that the sentence arrives.
    const answer = await sendLetter(account, letter, AbortSignal.timeout(12_000))
    return { taken: true, answer }
  } catch (error) {
    if (error instanceof MailFailure) return { taken: false, answer: error.message }
    throw error
  }
}

/** One change of the installation's settings at a time; makes the row where there is none. */
export async function lockSettings(tx: Transaction): Promise<void> {
  await tx.installation.createMany({ data: { id }, skipDuplicates: true })
  await tx.$executeRaw`SELECT 1 FROM installation WHERE id = ${id} FOR UPDATE`
}

function sealPassword(
  platform: Platform,
  account: { host: string; user: string },
  password: string | undefined,
  before: StoredAccount | null,
): string | null {
  if (account.user === '') return null
  if (password !== undefined && password !== '')
    return seal(platform.keyring, password, passwordContext(account))
  const isSame = before !== null && before.host === account.host && before.user === account.user
  if (isSame && before.sealedPassword !== null) return before.sealedPassword
  const message = 'is needed for this server and user'
  throw new PlatformError('invalid', `password: ${message}.`, { fields: [{ path: 'password', message }] })
}

function show({ sealedPassword, ...account }: StoredAccount) {
  return { ...account, hasPassword: sealedPassword !== null }
}

function factsOf({ sealedPassword, ...account }: StoredAccount): Facts {
  // Sealed anew it differs though it is the same: then somebody gave it.
  return { ...account, password: sealedPassword === null ? null : new Masked(sealedPassword) }
}
