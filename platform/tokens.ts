import { notFound, requireInstallation, requireTeam, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { newId } from './model/ids.ts'
import { type CreateTokenInput, createTokenSchema, type PageInput } from './model/inputs.ts'
import type { Page, Token } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { sha256 } from './secrets.ts'
import { chooseScope, requireOwnScope } from './token-scope.ts'
import { newTokenSecret, tokenPrefix } from './token-secret.ts'
import { showToken, tokenColumns } from './token-view.ts'
import { validate } from './validate.ts'

type NewToken = Token & { secret: string }

/**
 * The answer alone carries the secret: it is not kept. A person's token acts as that person, up to its role and for
 * what its scope says; the operator's is a team's own. Throws `forbidden` for a role above the caller's, `not-found`
 * for projects and apps that are not his to see, and to tokens `forbidden`: a token makes no tokens. `by`: who is
 * written down for it, where somebody makes it for the viewer.
 */
export async function createToken(
  platform: Platform,
  viewer: Viewer,
  input: CreateTokenInput,
  { by = viewer }: { by?: Viewer } = {},
): Promise<NewToken> {
  await requireInstallation(platform, viewer, 'token.manage-own')
  return make(platform, viewer, input, { userId: viewer.kind === 'user' ? viewer.userId : null, by })
}

/**
 * A team's own: it stays when its maker's session, password or other tokens end. It may never do more than its maker
 * may, and stops when he leaves the team, until another administrator takes it over.
 */
export async function createTeamToken(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: Omit<CreateTokenInput, 'teamId'>,
): Promise<NewToken> {
  await requireTeam(platform, viewer, teamId, 'token.manage-of-team')
  await requireInstallation(platform, viewer, 'token.manage-own')
  return make(platform, viewer, { ...input, teamId }, { userId: null, by: viewer })
}

async function make(
  platform: Platform,
  viewer: Viewer,
  input: CreateTokenInput,
  { userId, by }: { userId: string | null; by: Viewer },
): Promise<NewToken> {
  const wanted = validate(createTokenSchema, input)
  const { name, teamId = null, role, expiresAt, addresses } = wanted
  if (userId === null && teamId === null)
    throw problem('teamId', 'A token of no person must belong to a team.')
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now())
    throw problem('expiresAt', 'The token would have expired already.')
  const scope = chooseScope(wanted, teamId)
  if (teamId !== null) await requireOwnScope(platform, viewer, { teamId, role, scope })
  const secret = newTokenSecret()
  const row = await platform.db.$transaction(async (tx) => {
    const token = await tx.apiToken.create({
      data: {
        ...{ id: newId('token'), userId, teamId, name, role, addresses },
        ...{ actions: [...scope.actions], projectIds: [...scope.projectIds] },
        ...{ appIds: [...scope.appIds], repositories: [...scope.repositories] },
        makerId: userId === null && viewer.kind === 'user' ? viewer.userId : null,
        hash: sha256(secret),
        hint: secret.slice(0, tokenPrefix.length + 4),
        expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
      },
      include: tokenColumns,
    })
    await record(tx, by, {
      teamId,
      action: 'token.create',
      target: { type: 'token', id: token.id, name },
      after: {
        ...{ name, role, teamId, userId, expiresAt, addresses, actions: [...scope.actions] },
        ...{
          projects: [...scope.projectIds],
          apps: [...scope.appIds],
          repositories: [...scope.repositories],
        },
      },
    })
    return token
  })
  return { ...showToken(row), secret }
}

/** The caller's own, newest first, without those that were revoked; the operator sees all. */
export async function listTokens(
  platform: Platform,
  viewer: Viewer,
  pageInput?: PageInput,
): Promise<Page<Token>> {
  return list(platform, ownedBy(viewer), pageInput)
}

/** A team's own, newest first. */
export async function listTeamTokens(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  pageInput?: PageInput,
): Promise<Page<Token>> {
  await requireTeam(platform, viewer, teamId, 'token.manage-of-team')
  return list(platform, { teamId, userId: null }, pageInput)
}

async function list(
  platform: Platform,
  where: { id?: string; userId?: string | null; teamId?: string },
  pageInput: PageInput | undefined,
): Promise<Page<Token>> {
  const page = parsePage(pageInput)
  const rows = await platform.db.apiToken.findMany({
    where: { AND: [where, { revokedAt: null, id: { lt: afterId(page) } }] },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
    include: tokenColumns,
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
  await publishAccess(platform, { tokenId: id })
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

/** The caller stands behind a team's token from now on: its secret stays, and it may do what he may. */
export async function takeTokenOver(platform: Platform, viewer: Viewer, id: string): Promise<Token> {
  const token = await platform.db.apiToken.findUnique({ where: { id } })
  if (token === null || token.revokedAt !== null || token.teamId === null || token.userId !== null)
    throw notFound('token')
  const { teamId } = token
  await requireTeam(platform, viewer, teamId, 'token.manage-of-team', 'token')
  if (viewer.kind !== 'user')
    throw new PlatformError('forbidden', 'Only a signed-in person can take a token over.')
  const row = await platform.db.$transaction(async (tx) => {
    const taken = await tx.apiToken.update({
      where: { id },
      data: { makerId: viewer.userId },
      include: tokenColumns,
    })
    await record(tx, viewer, {
      teamId,
      action: 'token.take-over',
      target: { type: 'token', id, name: token.name },
      before: { makerId: token.makerId },
      after: { makerId: viewer.userId },
    })
    return taken
  })
  await publishAccess(platform, { tokenId: id })
  return showToken(row)
}

function problem(path: string, message: string): PlatformError {
  return new PlatformError('invalid', message, { fields: [{ path, message }] })
}
