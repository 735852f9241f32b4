import { notFound, requireInstallation, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { type ChangePasswordInput, changePasswordSchema, type PageInput } from './model/inputs.ts'
import type { Page, Session } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { requireStrongPassword } from './password-strength.ts'
import { checkPassword, hashPassword } from './passwords.ts'
import { countAttempt, forgetAttempts } from './rate-limit.ts'
import { validate } from './validate.ts'

const guesses = { name: 'own-password:user', limit: 10, windowSeconds: 900 }

/** The caller's own browser sessions that are open, newest first. */
export async function listSessions(
  platform: Platform,
  viewer: Viewer,
  pageInput?: PageInput,
): Promise<Page<Session>> {
  const { userId, sessionId } = await requirePerson(platform, viewer)
  const page = parsePage(pageInput)
  const rows = await platform.db.session.findMany({
    where: { userId, revokedAt: null, expiresAt: { gt: new Date() }, id: { lt: afterId(page) } },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  return toPage(
    rows,
    page.limit,
    (row) => row.id,
    (row) => ({
      id: row.id,
      isCurrent: row.id === sessionId,
      userAgent: row.userAgent,
      address: row.address,
      createdAt: row.createdAt.toISOString(),
      lastSeenAt: row.lastSeenAt.toISOString(),
    }),
  )
}

/** Ends one of the caller's own sessions, at once. */
export async function revokeSession(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const { userId } = await requirePerson(platform, viewer)
  await platform.db.$transaction(async (tx) => {
    const { count } = await tx.session.updateMany({
      where: { id, userId, revokedAt: null },
      data: { revokedAt: new Date() },
    })
    if (count === 0) throw notFound('session')
    await record(tx, viewer, {
      teamId: null,
      action: 'session.end',
      target: { type: 'session', id, name: '' },
    })
  })
  await publishAccess(platform, { userId })
}

/** Ends all of the caller's sessions but this one; answers with how many that were. */
export async function revokeOtherSessions(platform: Platform, viewer: Viewer): Promise<number> {
  const { userId, sessionId } = await requirePerson(platform, viewer)
  const ended = await platform.db.$transaction(async (tx) => {
    const { count } = await tx.session.updateMany({
      where: { userId, revokedAt: null, ...(sessionId === null ? {} : { id: { not: sessionId } }) },
      data: { revokedAt: new Date() },
    })
    await record(tx, viewer, { teamId: null, action: 'session.end-others', detail: { ended: count } })
    return count
  })
  await publishAccess(platform, { userId })
  return ended
}

/**
 * Ends every other session of the person: whoever knew the old password is out. Throws `invalid` for a wrong present
 * one and a weak new one, `rate-limited` after too many wrong ones.
 */
export async function changePassword(
  platform: Platform,
  viewer: Viewer,
  input: ChangePasswordInput,
): Promise<void> {
  const { userId, sessionId } = await requirePerson(platform, viewer)
  const { current, password } = validate(changePasswordSchema, input)
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: userId } })
  if (user.passwordHash === null)
    throw new PlatformError(
      'conflict',
      'This account has no password yet. Sign out and ask for one with “Forgot your password?”.',
    )
  await requirePassword(platform, userId, current, 'current')
  await requireStrongPassword(password, [user.email, user.name])
  const passwordHash = await hashPassword(password)
  await platform.db.$transaction(async (tx) => {
    await tx.user.update({ where: { id: userId }, data: { passwordHash } })
    await tx.session.updateMany({
      where: { userId, revokedAt: null, ...(sessionId === null ? {} : { id: { not: sessionId } }) },
      data: { revokedAt: new Date() },
    })
    await record(tx, viewer, {
      teamId: null,
      action: 'user.change-password',
      target: { type: 'user', id: userId, name: user.name },
    })
  })
  await publishAccess(platform, { userId })
}

/**
 * Before something that an open session alone must not be enough for. An account without a password, whose owner signs
 * in elsewhere, has none to ask for. Throws `invalid` at the field `path`, `rate-limited` after too many wrong ones.
 */
export async function requirePassword(
  platform: Platform,
  userId: string,
  password: string,
  path = 'password',
): Promise<void> {
  await countAttempt(platform, guesses, userId)
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: userId } })
  if (user.passwordHash !== null && !(await checkPassword(user.passwordHash, password))) {
    const message = 'is not your current password'
    throw new PlatformError('invalid', `${path}: ${message}.`, { fields: [{ path, message }] })
  }
  await forgetAttempts(platform, guesses, userId)
}

/** A token must not be able to shut its owner out, or to keep him from doing so. */
export async function requirePerson(
  platform: Platform,
  viewer: Viewer,
): Promise<{ userId: string; sessionId: string | null }> {
  await requireInstallation(platform, viewer, 'account.manage-own')
  if (viewer.kind === 'user') return viewer
  throw new PlatformError('forbidden', 'Only a signed-in person can do this.')
}
