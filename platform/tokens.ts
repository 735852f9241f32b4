import { notFound, requireInstallation, requireTeam, type Viewer } from './access.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { newId } from './model/ids.ts'
import { type CreateTokenInput, createTokenSchema, type PageInput } from './model/inputs.ts'
import type { Page, Token } from './model/resources.ts'
import { type Role, roleIncludes } from './model/roles.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { randomText, sha256 } from './secrets.ts'
import { validate } from './validate.ts'

/** Marks our tokens, so that scanners for leaked secrets find them. */
export const tokenPrefix = 'berth_'

/**
 * The answer alone carries the secret: it is not kept. A person's token acts as that person, up to its role; the
 * operator's is a team's own. Throws `forbidden` for a role above the caller's, and to tokens: a token makes no tokens.
 */
export async function createToken(
  platform: Platform,
  viewer: Viewer,
  input: CreateTokenInput,
): Promise<Token & { secret: string }> {
  await requireInstallation(platform, viewer, 'token.manage-own')
  const { name, teamId = null, role, expiresAt } = validate(createTokenSchema, input)
  const userId = viewer.kind === 'user' ? viewer.userId : null
  if (userId === null && teamId === null)
    throw problem('teamId', 'A token of no person must belong to a team.')
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
    throw problem('expiresAt', 'The token would have expired already.')
  }
  if (teamId !== null) await requireRole(platform, viewer, teamId, role)
  const secret = `${tokenPrefix}${randomText(40)}`
  const row = await platform.db.$transaction(async (tx) => {
    const token = await tx.apiToken.create({
      data: {
        id: newId('token'),
        userId,
        teamId,
        name,
        hash: sha256(secret),
        hint: secret.slice(0, tokenPrefix.length + 4),
        role,
        expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
      },
    })
    await record(tx, viewer, {
      teamId,
      action: 'token.create',
      target: { type: 'token', id: token.id, name },
      detail: { role },
    })
    return token
  })
  return { ...showToken(row), secret }
}

async function requireRole(platform: Platform, viewer: Viewer, teamId: string, role: Role): Promise<void> {
  const own = await requireTeam(platform, viewer, teamId, 'team.read')
  if ((await platform.db.team.count({ where: { id: teamId } })) === 0) throw notFound('team')
  if (roleIncludes(own, role)) return
  throw new PlatformError('forbidden', `A token can't have the role ${role}: yours in the team is ${own}.`)
}

/** The caller's own, newest first, without those that were revoked; the operator sees all. */
export async function listTokens(
  platform: Platform,
  viewer: Viewer,
  pageInput?: PageInput,
): Promise<Page<Token>> {
  const page = parsePage(pageInput)
  const rows = await platform.db.apiToken.findMany({
    where: { AND: [ownedBy(viewer), { revokedAt: null, id: { lt: afterId(page) } }] },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  return toPage(rows, page.limit, (row) => row.id, showToken)
}

function ownedBy(viewer: Viewer) {
  switch (viewer.kind) {
    case 'operator':
    case 'system':
      return {}
    case 'user':
      return { userId: viewer.userId }
    case 'token':
      // A token sees itself alone: who found one must not learn of others.
      return { id: viewer.tokenId }
  }
}

/** Works at once. One's own, and a team's own for its administrators; a token may revoke itself. */
export async function revokeToken(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const token = await platform.db.apiToken.findUnique({ where: { id } })
  if (token === null || token.revokedAt !== null) throw notFound('token')
  await requireRevoke(platform, viewer, token)
  await platform.db.$transaction(async (tx) => {
    await tx.apiToken.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date() } })
    await record(tx, viewer, {
      teamId: token.teamId,
      action: 'token.revoke',
      target: { type: 'token', id, name: token.name },
    })
  })
}

async function requireRevoke(
  platform: Platform,
  viewer: Viewer,
  token: { id: string; userId: string | null; teamId: string | null },
): Promise<void> {
  if (viewer.kind === 'operator' || viewer.kind === 'system') return
  if (viewer.kind === 'token' && viewer.tokenId === token.id) return
  if (viewer.kind === 'user' && viewer.userId === token.userId) return
  if (token.teamId === null || token.userId !== null) throw notFound('token')
  await requireTeam(platform, viewer, token.teamId, 'token.manage-of-team', 'token')
}

function problem(path: string, message: string): PlatformError {
  return new PlatformError('invalid', message, { fields: [{ path, message }] })
}

function showToken(row: {
  id: string
  name: string
  hint: string
  role: Role
  teamId: string | null
  createdAt: Date
  expiresAt: Date | null
  lastUsedAt: Date | null
}): Token {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    role: row.role,
    teamId: row.teamId,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  }
}
