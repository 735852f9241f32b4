import { requireInstallation, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import { ask, requireMail } from '../link-requests.ts'
import { readStoredAccount } from '../mail/account.ts'
import { lockSettings } from '../mail/settings.ts'
import { newId } from '../model/ids.ts'
import { type AskLinkInput, askLinkSchema } from '../model/inputs.ts'
import {
  type RegisterInput,
  type Registration,
  type RegistrationInput,
  registerSchema,
  registrationSchema,
} from '../model/sign-in-settings.ts'
import type { Platform } from '../open.ts'
import type { Origin } from '../origin.ts'
import { requireStrongPassword } from '../password-strength.ts'
import { hashPassword } from '../passwords.ts'
import { sha256 } from '../secrets.ts'
import { validate } from '../validate.ts'

const id = 'installation'

/** Who may make an account without an invitation. */
export async function readRegistration(platform: Platform, viewer: Viewer): Promise<Registration> {
  await requireInstallation(platform, viewer, 'installation.read-sign-in')
  return settingsOf(platform.db)
}

/** Throws `conflict` where addresses can't be verified for want of e-mail. */
export async function changeRegistration(
  platform: Platform,
  viewer: Viewer,
  input: RegistrationInput,
): Promise<Registration> {
  await requireInstallation(platform, viewer, 'installation.change-sign-in')
  const { registration, domains } = validate(registrationSchema, input)
  await platform.db.$transaction(async (tx) => {
    await lockSettings(tx)
    if (registration !== 'invitation' && (await readStoredAccount(tx)) === null)
      throw new PlatformError(
        'conflict',
        'Addresses are verified by e-mail, and this Berth sends none. Set a mail server up first.',
      )
    const before = await settingsOf(tx)
    await tx.installation.update({ where: { id }, data: { registration, registrationDomains: domains } })
    await record(tx, viewer, {
      ...{ teamId: null, action: 'installation.change-registration' },
      ...{ before, after: { registration, domains } },
    })
  })
  return settingsOf(platform.db)
}

/** Whether the sign-in page offers to make an account. */
export async function isRegistrationOpen(platform: Platform): Promise<boolean> {
  return (await settingsOf(platform.db)).registration !== 'invitation'
}

/**
 * Whether somebody who is known to own the address may make an account: by the installation's setting, or because
 * somebody asked him into a team.
 */
export async function mayRegister(tx: Transaction, email: string): Promise<boolean> {
  if (isAllowed(await settingsOf(tx), email)) return true
  const now = new Date()
  const open = { acceptedAt: null, revokedAt: null, expiresAt: { gt: now }, team: { deletedAt: null } }
  return (await tx.invitation.count({ where: { email, ...open } })) > 0
}

/**
 * Sends a link for a new account to the address. One that has an account gets the same answer, and a letter that says so.
 * Throws `forbidden` where registration is not for it, `conflict` without e-mail, `rate-limited`.
 */
export async function askRegistration(
  platform: Platform,
  input: AskLinkInput,
  origin: Origin,
): Promise<void> {
  await requireMail(platform)
  const asked = validate(askLinkSchema, input)
  const settings = await settingsOf(platform.db)
  if (!isAllowed(settings, asked.email)) throw notAllowed(settings)
  await ask(platform, 'register', asked, origin)
}

/** Whose address a link for a new account proves; null when it was used, ran out or never was. */
export async function checkRegisterLink(
  platform: Platform,
  token: string,
): Promise<{ email: string } | null> {
  return platform.db.linkRequest.findFirst({
    where: { tokenHash: sha256(token), ...open() },
    select: { email: true },
  })
}

/**
 * Makes the account, in no team yet. Throws `gone` for a dead link, `conflict` where the address has an account by now,
 * `forbidden` where registration was closed meanwhile.
 */
export async function register(
  platform: Platform,
  input: RegisterInput,
): Promise<{ userId: string; email: string }> {
  const { token, name, password } = validate(registerSchema, input)
  // Before the costly hash, so that strangers can't make the server work.
  const link = await checkRegisterLink(platform, token)
  if (link === null) throw dead()
  const { email } = link
  await requireStrongPassword(password, [email, name])
  const passwordHash = await hashPassword(password)
  const userId = newId('user')
  await platform.db.$transaction(async (tx) => {
    const settings = await settingsOf(tx)
    if (!isAllowed(settings, email)) throw notAllowed(settings)
    const { count } = await tx.linkRequest.updateMany({
      where: { tokenHash: sha256(token), ...open() },
      data: { usedAt: new Date(), userId: null },
    })
    if (count === 0) throw dead()
    const made = await tx.user.createMany({
      data: { id: userId, email, name, passwordHash },
      skipDuplicates: true,
    })
    if (made.count === 0) throw new PlatformError('conflict', `${email} has an account already. Sign in.`)
    await record(
      tx,
      { kind: 'user', userId, sessionId: null },
      {
        ...{ teamId: null, action: 'user.create', target: { type: 'user', id: userId, name } },
        after: { name, email },
      },
    )
  })
  return { userId, email }
}

async function settingsOf(db: Pick<Transaction, 'installation'>): Promise<Registration> {
  const row = await db.installation.findUnique({ where: { id } })
  return { registration: row?.registration ?? 'invitation', domains: row?.registrationDomains ?? [] }
}

function isAllowed({ registration, domains }: Registration, email: string): boolean {
  if (registration === 'open') return true
  return registration === 'domains' && domains.includes(email.split('@').at(-1) ?? '')
}

function notAllowed({ registration, domains }: Registration): PlatformError {
  if (registration === 'invitation')
    return new PlatformError('forbidden', 'Accounts are made by invitation only. Ask somebody for one.')
  return new PlatformError('forbidden', `Accounts are for addresses of ${domains.join(', ')} only.`, {
    fields: [{ path: 'email', message: 'is of another domain' }],
  })
}

function open() {
  return { kind: 'register', usedAt: null, expiresAt: { gt: new Date() } } as const
}

function dead(): PlatformError {
  return new PlatformError('gone', 'This link was used, or has run out. Ask for a new one.')
}
