import type { Viewer } from './access.ts'
import { type AuditEntry, record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { countGuess } from './guesses.ts'
import { isDeviceOf, rememberDevice } from './known-devices.ts'
import { hurry, post } from './mail/outbox.ts'
import { mailLanguage } from './mail/texts.ts'
import { newId } from './model/ids.ts'
import { type SignInInput, signInSchema } from './model/inputs.ts'
import { isInNetworks } from './networks.ts'
import type { Platform } from './open.ts'
import type { Origin } from './origin.ts'
import { checkPassword } from './passwords.ts'
import { countAttempt } from './rate-limit.ts'
import { recordRefusal } from './refused-sign-ins.ts'
import { beginSecondStep, endSecondStep, readSecondStep, SecondStep } from './second-step.ts'
import { sameSecret, sha256 } from './secrets.ts'
import { viewerOf } from './token-viewer.ts'
import { checkCode } from './two-factor-code.ts'
import { validate } from './validate.ts'

export const sessionDays = 30

export const wrongTokens = { name: 'token:address', limit: 300, windowSeconds: 300 }

export interface SignedIn {
  userId: string
  sessionId: string
  /** What the browser's cookie is to hold, so that it is known next time: known-devices.ts. */
  device: string
}

/**
 * Opens a browser session. Throws `unauthenticated` with one sentence for a wrong password and an unknown address
 * alike, and takes as long for both; `rate-limited` after wrong ones (guesses.ts); SecondStep where a code is to follow.
 */
export async function signIn(platform: Platform, input: SignInInput): Promise<SignedIn> {
  const { email, password, ...origin } = validate(signInSchema, input)
  const user = await checkCredentials(platform, { email, password, origin })
  return enter(platform, user.id, origin)
}

/** For somebody whose first step was right. Throws SecondStep where a code is to follow. */
export async function enter(platform: Platform, userId: string, origin: Origin): Promise<SignedIn> {
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: userId } })
  if (user.twoFactorAt !== null) throw new SecondStep(await beginSecondStep(platform, user))
  return openSession(platform, userId, origin)
}

/**
 * The second step of signing in: a code of the app, or a recovery code. Throws `gone` when the ticket ran out or was
 * used, `unauthenticated` for a wrong code and one that was used before, `rate-limited` after wrong ones.
 */
export async function signInWithCode(
  platform: Platform,
  { ticket, code, ...origin }: Origin & { ticket: string; code: string },
): Promise<SignedIn> {
  const user = await readSecondStep(platform, ticket)
  if (user === null) throw new PlatformError('gone', 'This took too long. Begin again with your password.')
  const guess = await countGuess(platform, 'code', user.email, origin)
  const from = { address: origin.address, userAgent: origin.userAgent ?? null }
  try {
    if (!(await checkCode(platform, user, code, from))) {
      await recordRefusal(platform, 'wrong-code', { email: user.email, user, origin })
      throw new PlatformError('unauthenticated', 'The code is not right, or was used before.')
    }
    await guess.wasRight()
  } finally {
    await guess.isOver()
  }
  await endSecondStep(platform, ticket)
  return openSession(platform, user.id, origin)
}

async function openSession(platform: Platform, userId: string, origin: Origin): Promise<SignedIn> {
  const sessionId = newId('session')
  const { mailId, ...signedIn } = await platform.db.$transaction(async (tx) => {
    const mailId = await noticeOfStranger(platform, tx, userId, origin)
    await tx.session.create({
      data: {
        id: sessionId,
        userId,
        expiresAt: new Date(Date.now() + sessionDays * 86_400_000),
        address: origin.address,
        userAgent: origin.userAgent?.slice(0, 400) ?? null,
      },
    })
    await record(tx, { kind: 'user', userId, sessionId }, beginning(sessionId, origin))
    return { mailId, userId, sessionId, device: await rememberDevice(tx, userId, origin.device ?? null) }
  })
  await hurry(platform, mailId)
  return signedIn
}

/** A letter to the owner of the account where this browser is a new one, and not the first. */
async function noticeOfStranger(
  platform: Platform,
  tx: Transaction,
  userId: string,
  { address, device = null }: Origin,
): Promise<string | null> {
  if ((await isDeviceOf(tx, userId, device)) !== false) return null
  const user = await tx.user.findUniqueOrThrow({ where: { id: userId } })
  return post(platform, tx, {
    ...{ kind: 'new-sign-in', to: user.email, language: mailLanguage(user.locale) },
    values: {
      address,
      at: new Date().toISOString().slice(0, 16).replace('T', ' '),
      accountUrl: `${platform.config.publicUrl}/account`,
    },
    expiresAt: new Date(Date.now() + 3 * 86_400_000),
  })
}

function beginning(id: string, { address, userAgent = null }: Origin): AuditEntry {
  return {
    ...{ teamId: null, action: 'session.begin', target: { type: 'session', id, name: '' } },
    from: { address, userAgent },
  }
}

/** Whose e-mail and password these are, without opening a session. Throws as signIn() does. */
export async function checkCredentials(
  platform: Platform,
  { email, password, origin }: { email: string; password: string; origin: Origin },
): Promise<{ id: string; twoFactorAt: Date | null }> {
  const guess = await countGuess(platform, 'password', email, origin)
  try {
    const user = await platform.db.user.findUnique({ where: { email } })
    const right = await checkPassword(user?.passwordHash ?? null, password)
    if (user === null || !right || user.disabledAt !== null) {
      const reason = user === null ? 'unknown-account' : right ? 'suspended' : 'wrong-password'
      await recordRefusal(platform, reason, { email, user, origin })
      throw new PlatformError('unauthenticated', 'The e-mail address or the password is not right.')
    }
    await guess.wasRight()
    return { id: user.id, twoFactorAt: user.twoFactorAt }
  } finally {
    await guess.isOver()
  }
}

/**
 * For `docker login` and its kin, which know no second step: who has one needs a token. Throws as signIn() does, and
 * `forbidden`.
 */
export async function checkPasswordAlone(
  platform: Platform,
  input: { email: string; password: string; address: string },
): Promise<{ id: string }> {
  const { email, password, address } = input
  const user = await checkCredentials(platform, { email, password, origin: { address } })
  if (user.twoFactorAt === null) return user
  throw new PlatformError(
    'forbidden',
    'This account has two-factor sign-in: use an API token in place of the password.',
  )
}

/** Null when it ended, ran out, or its user was disabled. */
export async function checkSession(platform: Platform, sessionId: string): Promise<Viewer | null> {
  const session = await platform.db.session.findUnique({
    where: { id: sessionId },
    select: {
      userId: true,
      revokedAt: true,
      expiresAt: true,
      lastSeenAt: true,
      user: { select: { disabledAt: true } },
    },
  })
  const now = Date.now()
  if (session === null || session.revokedAt !== null || session.user.disabledAt !== null) return null
  if (session.expiresAt.getTime() <= now) return null
  if (now - session.lastSeenAt.getTime() > 300_000) {
    await platform.db.session.updateMany({ where: { id: sessionId }, data: { lastSeenAt: new Date(now) } })
  }
  return { kind: 'user', userId: session.userId, sessionId }
}

export interface BearerOptions {
  /** Came through the public edge, where the operator's token is worth nothing. */
  viaEdge: boolean
  address: string
}

/** Null for a token that is unknown, revoked or expired. Throws `rate-limited` after very many wrong ones, `forbidden` for one that
 * may not come from this address. */
export async function viewerFromToken(
  platform: Platform,
  bearer: string,
  options: BearerOptions,
): Promise<Viewer | null> {
  if (!options.viaEdge && sameSecret(bearer, platform.config.readSecret('operator.token'))) {
    return { kind: 'operator' }
  }
  const token = await findToken(platform, sha256(bearer))
  if (token === null || !isTokenUsable(token)) {
    await countAttempt(platform, wrongTokens, options.address)
    return null
  }
  requireNetwork(token, options.address)
  await noteUse(platform, token, options.address)
  return viewerOf(token)
}

type FoundToken = Parameters<typeof viewerOf>[0] &
  Parameters<typeof noteUse>[1] &
  Omit<Parameters<typeof isTokenUsable>[0], 'user'> & { addresses: string[]; disabledAt: Date | null }

/** With the person whose it is, in one question: every request that comes with a token waits for it. */
async function findToken(platform: Platform, hash: string) {
  const [row] = await platform.db.$queryRaw<FoundToken[]>`
    SELECT t.id, t."userId", t."teamId", t."makerId", t.role::text AS role, t.actions, t."projectIds", t."appIds",
      t.repositories, t.addresses, t."expiresAt", t."revokedAt", t."lastUsedAt", t."lastUsedAddress", u."disabledAt"
    FROM api_tokens t LEFT JOIN users u ON u.id = t."userId" WHERE t.hash = ${hash}`
  if (row === undefined) return null
  const { disabledAt, ...token } = row
  return { ...token, user: token.userId === null ? null : { disabledAt } }
}

/** Throws `forbidden`. Who holds the token may know that it is a right one: it is of use from elsewhere only. */
export function requireNetwork(token: { addresses: string[] }, address: string): void {
  if (token.addresses.length === 0 || isInNetworks(address, token.addresses)) return
  throw new PlatformError('forbidden', `This token may not be used from the address ${address}.`)
}

/** At most once a minute, unless it comes from somewhere else. */
async function noteUse(
  platform: Platform,
  token: { id: string; lastUsedAt: Date | null; lastUsedAddress: string | null },
  address: string,
): Promise<void> {
  const now = Date.now()
  const isRecent = token.lastUsedAt !== null && now - token.lastUsedAt.getTime() <= 60_000
  if (isRecent && token.lastUsedAddress === address) return
  await platform.db.apiToken.updateMany({
    where: { id: token.id },
    data: { lastUsedAt: new Date(now), lastUsedAddress: address },
  })
}

/** Whether what the viewer came with still holds: for those who stay long, such as event streams. */
export async function isStillValid(platform: Platform, viewer: Viewer): Promise<boolean> {
  switch (viewer.kind) {
    case 'operator':
    case 'system':
      return true
    case 'user':
      return viewer.sessionId === null || (await checkSession(platform, viewer.sessionId)) !== null
    case 'token': {
      const token = await platform.db.apiToken.findUnique({
        where: { id: viewer.tokenId },
        include: { user: { select: { disabledAt: true } } },
      })
      return token !== null && isTokenUsable(token)
    }
  }
}

/** Whether an API token, and the person whose it is, are still what they were. */
export function isTokenUsable(token: {
  revokedAt: Date | null
  expiresAt: Date | null
  user: { disabledAt: Date | null } | null
}): boolean {
  if (token.revokedAt !== null || (token.user !== null && token.user.disabledAt !== null)) return false
  return token.expiresAt === null || token.expiresAt.getTime() > Date.now()
}
