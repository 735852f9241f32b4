import { requireInstallation, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { requirePassword, requirePerson } from './account.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { takeGuess } from './lock-out.ts'
import type { AuditAction } from './model/audit-actions.ts'
import { type ProofInput, proofSchema } from './model/inputs.ts'
import type { TwoFactorState } from './model/resources.ts'
import type { Platform } from './open.ts'
import { checkAppCode, checkCode, makeRecoveryCodes, newSecret } from './two-factor-code.ts'
import { validate } from './validate.ts'

/** Counted by the session: what goes on elsewhere must not keep the owner from changing this. */
const guesses = { name: 'code:session', free: 5, firstSeconds: 60, mostSeconds: 3_600 }

/** Whether the caller's own account asks for a second factor, and how many recovery codes are left. */
export async function readTwoFactor(platform: Platform, viewer: Viewer): Promise<TwoFactorState> {
  const { userId } = await requirePerson(platform, viewer)
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: userId } })
  const recoveryCodesLeft = await platform.db.recoveryCode.count({ where: { userId, usedAt: null } })
  return {
    since: user.twoFactorAt?.toISOString() ?? null,
    recoveryCodesLeft: user.twoFactorAt === null ? 0 : recoveryCodesLeft,
    hasPassword: user.passwordHash !== null,
  }
}

/**
 * A secret for the authenticator app, shown this once; it counts when confirmTwoFactor() saw a code of it. Throws
 * `invalid` for a wrong password, `conflict` where a second factor is there already.
 */
export async function beginTwoFactor(
  platform: Platform,
  viewer: Viewer,
  input: ProofInput,
): Promise<{ secret: string; uri: string }> {
  const { userId } = await requirePerson(platform, viewer)
  await requirePassword(platform, userId, validate(proofSchema, input).password)
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: userId } })
  if (user.twoFactorAt !== null) throw isOn()
  const { sealedSecret, secret, uri } = newSecret(platform, user)
  await platform.db.$transaction(async (tx) => {
    await tx.twoFactor.upsert({
      where: { userId },
      create: { userId, sealedSecret },
      update: { sealedSecret, lastStep: 0 },
    })
    await recordChange(tx, viewer, 'user.begin-two-factor', user)
  })
  return { secret, uri }
}

/**
 * From now on a code is asked for. Ends all other sessions: they came in without one. The answer alone carries the
 * recovery codes. Throws `invalid` for a wrong code, `rate-limited` after too many.
 */
export async function confirmTwoFactor(
  platform: Platform,
  viewer: Viewer,
  input: ProofInput,
): Promise<{ recoveryCodes: string[] }> {
  const { userId, sessionId } = await requirePerson(platform, viewer)
  const { code } = validate(proofSchema, input)
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: userId } })
  if (user.twoFactorAt !== null) throw isOn()
  const guess = await takeGuess(platform, guesses, `${userId}:${sessionId}`)
  try {
    if (!(await checkAppCode(platform, userId, code.replace(/\s/g, '')))) throw wrongCode()
    await guess.wasRight()
  } finally {
    await guess.isOver()
  }
  const made = await platform.db.$transaction(async (tx) => {
    const { count } = await tx.user.updateMany({
      where: { id: userId, twoFactorAt: null },
      data: { twoFactorAt: new Date() },
    })
    if (count === 0) throw isOn()
    const recoveryCodes = await makeRecoveryCodes(tx, userId)
    await endOthers(tx, userId, sessionId)
    await recordChange(tx, viewer, 'user.enable-two-factor', user)
    return { recoveryCodes }
  })
  await publishAccess(platform, { userId })
  return made
}

/** In place of the old ones, which are worth nothing then. Throws as disableTwoFactor() does. */
export async function renewRecoveryCodes(
  platform: Platform,
  viewer: Viewer,
  input: ProofInput,
): Promise<{ recoveryCodes: string[] }> {
  const { user } = await prove(platform, viewer, input)
  return platform.db.$transaction(async (tx) => {
    const recoveryCodes = await makeRecoveryCodes(tx, user.id)
    await recordChange(tx, viewer, 'user.renew-recovery-codes', user)
    return { recoveryCodes }
  })
}

/**
 * Needs the password (where the account has one) and a code. Ends all other sessions. Throws `invalid` for a wrong one,
 * `conflict` while a team of the caller asks for a second factor, `rate-limited` after wrong ones.
 */
export async function disableTwoFactor(platform: Platform, viewer: Viewer, input: ProofInput): Promise<void> {
  const { user, sessionId } = await prove(platform, viewer, input)
  const team = await platform.db.team.findFirst({
    where: { requiresTwoFactor: true, deletedAt: null, memberships: { some: { userId: user.id } } },
  })
  if (team !== null)
    throw new PlatformError('conflict', `The team ${team.name} asks for two-factor sign-in. Leave it first.`)
  await platform.db.$transaction(async (tx) => {
    await takeAway(tx, user.id)
    await endOthers(tx, user.id, sessionId)
    await recordChange(tx, viewer, 'user.disable-two-factor', user)
  })
  await publishAccess(platform, { userId: user.id })
}

/**
 * For somebody who lost app and recovery codes: an administrator, who knows by other means who asks, takes the second
 * factor away. The password stays; all sessions end.
 */
export async function resetTwoFactor(platform: Platform, viewer: Viewer, userId: string): Promise<void> {
  await requireInstallation(platform, viewer, 'user.reset-two-factor')
  await platform.db.$transaction(async (tx) => {
    const user = await tx.user.findUnique({ where: { id: userId } })
    if (user === null) throw new PlatformError('not-found', 'There is no such user.')
    await takeAway(tx, userId)
    await endOthers(tx, userId, null)
    await recordChange(tx, viewer, 'user.reset-two-factor', user)
  })
  await publishAccess(platform, { userId })
}

async function takeAway(tx: Transaction, userId: string): Promise<void> {
  await tx.user.update({ where: { id: userId }, data: { twoFactorAt: null } })
  await tx.twoFactor.deleteMany({ where: { userId } })
  await tx.recoveryCode.deleteMany({ where: { userId } })
}

/** Password and code of the caller's own account. */
async function prove(platform: Platform, viewer: Viewer, input: ProofInput) {
  const { userId, sessionId } = await requirePerson(platform, viewer)
  const { password, code } = validate(proofSchema, input)
  await requirePassword(platform, userId, password)
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: userId } })
  if (user.twoFactorAt === null)
    throw new PlatformError('conflict', 'Two-factor sign-in is not on for this account.')
  const guess = await takeGuess(platform, guesses, `${userId}:${sessionId}`)
  try {
    if (!(await checkCode(platform, user, code))) throw wrongCode()
    await guess.wasRight()
  } finally {
    await guess.isOver()
  }
  return { user, sessionId }
}

async function endOthers(tx: Transaction, userId: string, sessionId: string | null): Promise<void> {
  await tx.session.updateMany({
    where: { userId, revokedAt: null, ...(sessionId === null ? {} : { id: { not: sessionId } }) },
    data: { revokedAt: new Date() },
  })
}

function recordChange(
  tx: Transaction,
  viewer: Viewer,
  action: AuditAction,
  user: { id: string; name: string },
): Promise<void> {
  return record(tx, viewer, {
    teamId: null,
    action,
    target: { type: 'user', id: user.id, name: user.name },
  })
}

function wrongCode(): PlatformError {
  const message = 'is not right, or was used before'
  return new PlatformError('invalid', `code: ${message}.`, { fields: [{ path: 'code', message }] })
}

function isOn(): PlatformError {
  return new PlatformError('conflict', 'Two-factor sign-in is on for this account already.')
}
