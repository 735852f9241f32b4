import type { Viewer } from '../access.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'
import { randomText, sameSecret, sha256 } from '../secrets.ts'
import { isTokenUsable, requireNetwork } from '../sessions.ts'
import { viewerOf } from '../token-viewer.ts'

/**
 * `docker login` may keep a refresh token instead of the password (distribution/docs/spec/auth/oauth.md). It stands for
 * whoever signed in, dies with the password or the API token that it was given for, and is of no use elsewhere.
 */
export const refreshPrefix = 'berthr_'

const lifetimeDays = 90

/** Null where there is nobody to give one to. */
export async function issueRefreshToken(platform: Platform, viewer: Viewer | null): Promise<string | null> {
  const owner = viewer === null ? null : await ownerOf(platform, viewer)
  if (owner === null) return null
  const id = newId('registry-refresh')
  const secret = randomText(40)
  await platform.db.registryRefreshToken.create({
    data: {
      id,
      hash: bound(secret, owner.proof),
      userId: owner.userId,
      apiTokenId: owner.apiTokenId,
      expiresAt: new Date(Date.now() + lifetimeDays * 86_400_000),
    },
  })
  return `${refreshPrefix}${id}_${secret}`
}

/** Whom it stands for; null when it is unknown, ran out, or what it was given for does not hold any more. */
export async function redeemRefreshToken(
  platform: Platform,
  text: string,
  address: string,
): Promise<Viewer | null> {
  const [, id, secret] = /^berthr_(rrt_[0-9a-z]+)_([A-Za-z0-9_-]+)$/.exec(text) ?? []
  if (id === undefined || secret === undefined) return null
  const row = await platform.db.registryRefreshToken.findUnique({
    where: { id },
    include: { user: true, apiToken: { include: { user: { select: { disabledAt: true } } } } },
  })
  if (row === null || row.expiresAt.getTime() <= Date.now()) return null
  const { user, apiToken } = row
  const proof = apiToken?.hash ?? user?.passwordHash
  if (!proof || !sameSecret(bound(secret, proof), row.hash)) return null
  // One that a password alone was enough for ends with the first day of a second factor.
  const isOut = user === null || user.disabledAt !== null || user.twoFactorAt !== null
  if (apiToken !== null ? !isTokenUsable(apiToken) : isOut) return null
  if (apiToken !== null) requireNetwork(apiToken, address)
  await platform.db.registryRefreshToken.updateMany({ where: { id }, data: { lastUsedAt: new Date() } })
  if (apiToken !== null) return viewerOf(apiToken)
  return user === null ? null : { kind: 'user', userId: user.id, sessionId: null }
}

/** The hash is of the secret and of what it was given for: a new password makes it another one. */
function bound(secret: string, proof: string): string {
  return sha256(`${secret}\n${proof}`)
}

async function ownerOf(
  platform: Platform,
  viewer: Viewer,
): Promise<{ proof: string; userId: string | null; apiTokenId: string | null } | null> {
  switch (viewer.kind) {
    case 'user': {
      const user = await platform.db.user.findUnique({ where: { id: viewer.userId } })
      return user?.passwordHash ? { proof: user.passwordHash, userId: user.id, apiTokenId: null } : null
    }
    case 'token': {
      const token = await platform.db.apiToken.findUnique({ where: { id: viewer.tokenId } })
      return token === null ? null : { proof: token.hash, userId: null, apiTokenId: token.id }
    }
    case 'operator':
    case 'system':
      // The operator's token is a file that only the operator can read: nothing of it is handed out to be kept.
      return null
  }
}
