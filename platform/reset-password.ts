import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { clearGuesses } from './guesses.ts'
import { hurry, post } from './mail/outbox.ts'
import { mailLanguage } from './mail/texts.ts'
import { type ResetPasswordInput, resetPasswordSchema } from './model/inputs.ts'
import type { Platform } from './open.ts'
import type { Origin } from './origin.ts'
import { requireStrongPassword } from './password-strength.ts'
import { hashPassword } from './passwords.ts'
import { sha256 } from './secrets.ts'
import { validate } from './validate.ts'

/** Whose password the link changes; null when it was used, replaced, ran out or never was. */
export async function checkResetLink(platform: Platform, token: string): Promise<{ email: string } | null> {
  return findLink(platform, token)
}

/**
 * Sets the password. Ends all sessions of the account, and every other such link; a second factor stays in force, and API
 * tokens stay. Of several at once one wins. Throws `gone` for a dead link, `invalid` for a weak password.
 */
export async function resetPassword(
  platform: Platform,
  input: ResetPasswordInput,
  origin: Origin,
): Promise<void> {
  const { token, password } = validate(resetPasswordSchema, input)
  // Before the costly hash, so that strangers can't make the server work.
  const user = await findLink(platform, token)
  if (user === null) throw dead()
  await requireStrongPassword(password, [user.email, user.name])
  const passwordHash = await hashPassword(password)
  const mailId = await platform.db.$transaction(async (tx) => {
    const { count } = await tx.linkRequest.updateMany({
      where: { tokenHash: sha256(token), ...open() },
      data: { usedAt: new Date() },
    })
    if (count === 0) throw dead()
    await endResetLinks(tx, user.id)
    await tx.user.update({ where: { id: user.id }, data: { passwordHash } })
    await tx.session.updateMany({
      where: { userId: user.id, revokedAt: null },
      data: { revokedAt: new Date() },
    })
    await record(
      tx,
      { kind: 'user', userId: user.id, sessionId: null },
      {
        ...{ teamId: null, action: 'user.reset-password' },
        target: { type: 'user', id: user.id, name: user.name },
      },
    )
    return post(platform, tx, {
      kind: 'password-changed',
      to: user.email,
      language: mailLanguage(user.locale),
      values: { resetUrl: `${platform.config.publicUrl}/forgot` },
      expiresAt: new Date(Date.now() + 3 * 86_400_000),
    })
  })
  await publishAccess(platform, { userId: user.id })
  await hurry(platform, mailId)
  await clearGuesses(platform, user.email, origin)
}

async function endResetLinks(tx: Transaction, userId: string): Promise<void> {
  const now = new Date()
  await tx.linkRequest.updateMany({
    where: { userId, kind: 'reset', usedAt: null, expiresAt: { gt: now } },
    data: { expiresAt: now },
  })
}

async function findLink(platform: Platform, token: string) {
  const row = await platform.db.linkRequest.findFirst({
    where: { tokenHash: sha256(token), ...open(), user: { disabledAt: null } },
    select: { user: { select: { id: true, email: true, name: true, locale: true } } },
  })
  return row?.user ?? null
}

function open() {
  return { kind: 'reset', usedAt: null, expiresAt: { gt: new Date() } } as const
}

function dead(): PlatformError {
  return new PlatformError('gone', 'This link was used, was replaced, or has run out. Ask for a new one.')
}
