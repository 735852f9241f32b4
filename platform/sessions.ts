import type { Viewer } from './access.ts'
import { PlatformError } from './errors.ts'
import { newId } from './model/ids.ts'
import { type SignInInput, signInSchema } from './model/inputs.ts'
import { isInNetworks } from './networks.ts'
import type { Platform } from './open.ts'
import { checkPassword } from './passwords.ts'
import { countAttempt, forgetAttempts, giveBackAttempt } from './rate-limit.ts'
import { sameSecret, sha256 } from './secrets.ts'
import { viewerOf } from './token-viewer.ts'
import { validate } from './validate.ts'

export const sessionDays = 30

const byAddress = { name: 'sign-in:address', limit: 50, windowSeconds: 900 }
const byEmail = { name: 'sign-in:email', limit: 10, windowSeconds: 900 }
export const wrongTokens = { name: 'token:address', limit: 300, windowSeconds: 300 }

/**
 * Opens a browser session. Throws `unauthenticated` with one sentence for a wrong password and an unknown address
 * alike, and takes as long for both; `rate-limited` after too many attempts from an address or for an e-mail.
 */
export async function signIn(
  platform: Platform,
  input: SignInInput,
): Promise<{ userId: string; sessionId: string }> {
  const { email, password, address, userAgent } = validate(signInSchema, input)
  const user = await checkCredentials(platform, { email, password, address })
  const sessionId = newId('session')
  await platform.db.session.create({
    data: {
      id: sessionId,
      userId: user.id,
      expiresAt: new Date(Date.now() + sessionDays * 86_400_000),
      address,
      userAgent: userAgent?.slice(0, 400) ?? null,
    },
  })
  return { userId: user.id, sessionId }
}

/** Whose e-mail and password these are, without opening a session: for `docker login`. Throws as signIn() does. */
export async function checkCredentials(
  platform: Platform,
  { email, password, address }: { email: string; password: string; address: string },
): Promise<{ id: string }> {
  await countAttempt(platform, byAddress, address)
  await countAttempt(platform, byEmail, sha256(email))
  const user = await platform.db.user.findUnique({ where: { email } })
  const right = await checkPassword(user?.passwordHash ?? null, password)
  if (user === null || !right || user.disabledAt !== null) {
    throw new PlatformError('unauthenticated', 'The e-mail address or the password is not right.')
  }
  await forgetAttempts(platform, byEmail, sha256(email))
  // Given back, not forgotten: who owns one account must not be able to guess at others without end.
  await giveBackAttempt(platform, byAddress, address)
  return { id: user.id }
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

/** At once, everywhere: event streams of the session end within half a minute. May be called twice. */
export async function endSession(platform: Platform, sessionId: string): Promise<void> {
  await platform.db.session.updateMany({
    where: { id: sessionId, revokedAt: null },
    data: { revokedAt: new Date() },
  })
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
  const token = await platform.db.apiToken.findUnique({
    where: { hash: sha256(bearer) },
    include: { user: { select: { disabledAt: true } } },
  })
  if (token === null || !isTokenUsable(token)) {
    await countAttempt(platform, wrongTokens, options.address)
    return null
  }
  requireNetwork(token, options.address)
  await noteUse(platform, token, options.address)
  return viewerOf(token)
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
