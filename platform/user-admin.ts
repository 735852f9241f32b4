import { notFound, requireInstallation, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import { contains } from './contains.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import type { Prisma } from './generated/prisma/client.ts'
import type { ManagedUser } from './model/administration.ts'
import {
  type DeleteUserInput,
  deleteUserSchema,
  type PageInput,
  type UserFilterInput,
  userFilterSchema,
} from './model/inputs.ts'
import type { Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { makeResetLink, type ResetLink } from './reset-link.ts'
import { validate } from './validate.ts'

/** Everybody who has an account here, in the order in which the accounts were made. */
export async function listUsers(
  platform: Platform,
  viewer: Viewer,
  filter: UserFilterInput = {},
  pageInput?: PageInput,
): Promise<Page<ManagedUser>> {
  await requireInstallation(platform, viewer, 'installation.read-users')
  const page = parsePage(pageInput)
  const rows = await platform.db.user.findMany({
    where: { AND: [whereOf(filter), { id: { gt: afterId(page) } }] },
    include: columns,
    orderBy: { id: 'asc' },
    take: page.limit + 1,
  })
  return toPage(rows, page.limit, (row) => row.id, show)
}

function whereOf(filter: UserFilterInput): Prisma.UserWhereInput {
  const { search, state } = validate(userFilterSchema, filter)
  const states = {
    active: { disabledAt: null },
    suspended: { disabledAt: { not: null } },
    administrator: { isAdmin: true },
  } as const
  return {
    AND: [
      state === undefined ? {} : states[state],
      search === undefined ? {} : { OR: [{ email: contains(search) }, { name: contains(search) }] },
    ],
  }
}

export async function getManagedUser(platform: Platform, viewer: Viewer, id: string): Promise<ManagedUser> {
  await requireInstallation(platform, viewer, 'installation.read-users')
  const row = await platform.db.user.findUnique({ where: { id }, include: columns })
  if (row === null) throw notFound('user')
  return show(row)
}

/**
 * Nobody by that account from this moment: its sessions and its tokens end and stay ended, and what it follows stops.
 * Its teams and what runs in them stay. Throws `conflict` for oneself and for the last administrator.
 */
export async function suspendUser(platform: Platform, viewer: Viewer, id: string): Promise<ManagedUser> {
  await change(platform, viewer, id, async (tx, user) => {
    refuseSelf(viewer, id, 'suspend')
    if (user.disabledAt !== null) return null
    if (user.isAdmin) await requireAnotherAdministrator(tx, id)
    await tx.user.update({ where: { id }, data: { disabledAt: new Date() } })
    const ended = await endEverything(tx, id)
    return { action: 'user.suspend', detail: ended }
  })
  await publishAccess(platform, { userId: id })
  return getManagedUser(platform, viewer, id)
}

/** The person may sign in again. Sessions and tokens of before stay ended. */
export async function reactivateUser(platform: Platform, viewer: Viewer, id: string): Promise<ManagedUser> {
  await change(platform, viewer, id, async (tx, user) => {
    if (user.disabledAt === null) return null
    await tx.user.update({ where: { id }, data: { disabledAt: null } })
    return { action: 'user.reactivate' }
  })
  return getManagedUser(platform, viewer, id)
}

/** Every browser has to sign in again. Tokens stay. May be called twice. */
export async function endUserSessions(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  await change(platform, viewer, id, async (tx) => {
    const { count } = await tx.session.updateMany({
      where: { userId: id, revokedAt: null },
      data: { revokedAt: new Date() },
    })
    return { action: 'user.end-sessions', detail: { ended: count } }
  })
  await publishAccess(platform, { userId: id })
}

/** Works at once, in sessions that are open too. The last administrator stays one (`conflict`). */
export async function setAdministrator(
  platform: Platform,
  viewer: Viewer,
  id: string,
  isAdmin: boolean,
): Promise<ManagedUser> {
  await change(platform, viewer, id, async (tx, user) => {
    if (user.isAdmin === isAdmin) return null
    if (!isAdmin) await requireAnotherAdministrator(tx, id)
    if (isAdmin && user.disabledAt !== null)
      throw new PlatformError('conflict', 'This account is suspended. Reactivate it first.')
    await tx.user.update({ where: { id }, data: { isAdmin } })
    return { action: 'user.change-administrator', before: { isAdmin: user.isAdmin }, after: { isAdmin } }
  })
  await publishAccess(platform, { userId: id })
  return getManagedUser(platform, viewer, id)
}

/**
 * A link by which the person chooses a new password, once and within an hour. The answer alone carries it: pass it on by
 * a way that you trust. Throws `conflict` for a suspended account.
 */
export async function createResetLink(platform: Platform, viewer: Viewer, id: string): Promise<ResetLink> {
  await requireInstallation(platform, viewer, 'installation.manage-users')
  return platform.db.$transaction(async (tx) => {
    const user = await tx.user.findUnique({ where: { id } })
    if (user === null) throw notFound('user')
    if (user.disabledAt !== null)
      throw new PlatformError('conflict', 'This account is suspended. Reactivate it first.')
    const link = await makeResetLink(platform, tx, user)
    await record(tx, viewer, {
      teamId: null,
      action: 'user.create-reset-link',
      target: { type: 'user', id, name: user.name },
    })
    return link
  })
}

/**
 * Removes the account with its sessions and tokens. What the person made stays with its teams. A team that would be left
 * without an owner gets `newOwnerId`; without one that is a `conflict` that names those teams. So is deleting oneself,
 * and the last administrator.
 */
export async function deleteUser(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: DeleteUserInput = {},
): Promise<void> {
  await change(platform, viewer, id, async (tx, user) => {
    const { newOwnerId } = validate(deleteUserSchema, input)
    refuseSelf(viewer, id, 'delete')
    if (user.isAdmin) await requireAnotherAdministrator(tx, id)
    const orphans = await orphanedTeams(tx, id)
    if (orphans.length > 0) await handOver(tx, viewer, { from: id, to: newOwnerId, teams: orphans })
    const memberships = await tx.membership.findMany({
      where: { userId: id },
      select: { teamId: true, role: true },
    })
    for (const { teamId, role } of memberships)
      await record(tx, viewer, {
        teamId,
        action: 'member.remove',
        target: { type: 'user', id, name: user.name },
        before: { role },
      })
    await tx.user.delete({ where: { id } })
    return {
      action: 'user.delete',
      before: { name: user.name, email: user.email, isAdmin: user.isAdmin },
      detail: { teams: memberships.map(({ teamId }) => teamId) },
    }
  })
  await publishAccess(platform, { userId: id })
}

interface OrphanedTeam {
  id: string
  name: string
}

/** Teams that have no other owner who can sign in. Locked, so that no owner leaves meanwhile. */
async function orphanedTeams(tx: Transaction, userId: string): Promise<OrphanedTeam[]> {
  const teams = await tx.team.findMany({
    where: { memberships: { some: { userId, role: 'owner' } } },
    select: { id: true, name: true },
    orderBy: { id: 'asc' },
  })
  const orphans: OrphanedTeam[] = []
  for (const team of teams) {
    await tx.$executeRaw`SELECT 1 FROM teams WHERE id = ${team.id} FOR UPDATE`
    const others = await tx.membership.count({
      where: { teamId: team.id, role: 'owner', userId: { not: userId }, user: { disabledAt: null } },
    })
    if (others === 0) orphans.push(team)
  }
  return orphans
}

async function handOver(
  tx: Transaction,
  viewer: Viewer,
  { from, to, teams }: { from: string; to: string | undefined; teams: OrphanedTeam[] },
): Promise<void> {
  if (to === undefined) {
    const names = teams.map(({ name }) => name).join(', ')
    throw new PlatformError('conflict', `Nobody else owns ${names}. Say who is to own what is left behind.`, {
      fields: [{ path: 'newOwnerId', message: 'is needed' }],
    })
  }
  const owner = await tx.user.findUnique({ where: { id: to, disabledAt: null, NOT: { id: from } } })
  if (owner === null)
    throw new PlatformError('invalid', 'newOwnerId: is not an account that can sign in.', {
      fields: [{ path: 'newOwnerId', message: 'is not an account that can sign in' }],
    })
  for (const { id: teamId } of teams) await appoint(tx, viewer, teamId, owner)
}

/** Makes somebody owner of a team, member before or not. */
export async function appoint(
  tx: Transaction,
  viewer: Viewer,
  teamId: string,
  user: { id: string; name: string },
): Promise<void> {
  const where = { teamId_userId: { teamId, userId: user.id } }
  const present = await tx.membership.findUnique({ where })
  await tx.membership.upsert({
    where,
    create: { teamId, userId: user.id, role: 'owner' },
    update: { role: 'owner' },
  })
  await record(tx, viewer, {
    teamId,
    action: 'team.appoint-owner',
    target: { type: 'user', id: user.id, name: user.name },
    before: present === null ? undefined : { role: present.role },
    after: { role: 'owner' },
  })
}

interface UserRow {
  name: string
  email: string
  isAdmin: boolean
  disabledAt: Date | null
}

type Done = Omit<Parameters<typeof record>[2], 'teamId' | 'target'> | null

/** One change of an account at a time, with its entry in the log. `work` answers null when there was nothing to do. */
async function change(
  platform: Platform,
  viewer: Viewer,
  id: string,
  work: (tx: Transaction, user: UserRow) => Promise<Done>,
): Promise<void> {
  await requireInstallation(platform, viewer, 'installation.manage-users')
  await platform.db.$transaction(async (tx) => {
    // One at a time: two last administrators must not end each other.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(7236002)`
    const user = await tx.user.findUnique({ where: { id } })
    if (user === null) throw notFound('user')
    const done = await work(tx, user)
    if (done === null) return
    await record(tx, viewer, { ...done, teamId: null, target: { type: 'user', id, name: user.name } })
  })
}

function refuseSelf(viewer: Viewer, id: string, verb: string): void {
  if ((viewer.kind === 'user' || viewer.kind === 'token') && viewer.userId === id)
    throw new PlatformError('conflict', `You can't ${verb} your own account.`)
}

async function requireAnotherAdministrator(tx: Transaction, id: string): Promise<void> {
  const others = await tx.user.count({ where: { isAdmin: true, disabledAt: null, id: { not: id } } })
  if (others > 0) return
  throw new PlatformError(
    'conflict',
    'This is the last administrator of the installation. Make somebody else one first.',
  )
}

async function endEverything(tx: Transaction, userId: string): Promise<{ sessions: number; tokens: number }> {
  const open = { where: { userId, revokedAt: null }, data: { revokedAt: new Date() } }
  const [sessions, tokens] = [await tx.session.updateMany(open), await tx.apiToken.updateMany(open)]
  return { sessions: sessions.count, tokens: tokens.count }
}

const columns = {
  memberships: {
    where: { team: { deletedAt: null } },
    orderBy: { teamId: 'asc' },
    select: {
      role: true,
      team: {
        select: {
          id: true,
          slug: true,
          name: true,
          memberships: { where: { role: 'owner', user: { disabledAt: null } }, select: { userId: true } },
        },
      },
    },
  },
  sessions: { orderBy: { lastSeenAt: 'desc' }, take: 1, select: { lastSeenAt: true } },
} as const

function show(row: Prisma.UserGetPayload<{ include: typeof columns }>): ManagedUser {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    isAdmin: row.isAdmin,
    hasTwoFactor: row.twoFactorAt !== null,
    suspendedAt: row.disabledAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.sessions[0]?.lastSeenAt.toISOString() ?? null,
    teams: row.memberships.map(({ role, team }) => ({
      id: team.id,
      slug: team.slug,
      name: team.name,
      role,
      isLastOwner: role === 'owner' && team.memberships.every(({ userId }) => userId === row.id),
    })),
  }
}
