import { notFound, requireInstallation, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { contains } from './contains.ts'
import { PlatformError } from './errors.ts'
import type { ManagedTeam, ManagedTeamDetail } from './model/administration.ts'
import {
  type AppointOwnerInput,
  appointOwnerSchema,
  type PageInput,
  type SearchInput,
  searchSchema,
} from './model/inputs.ts'
import type { Page } from './model/resources.ts'
import type { Role } from './model/roles.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage } from './pages.ts'
import { readQuota, readUse } from './quotas.ts'
import { appoint } from './user-admin.ts'
import { validate } from './validate.ts'

const columns = {
  memberships: {
    orderBy: { userId: 'asc' },
    select: { role: true, user: { select: { id: true, name: true, email: true, disabledAt: true } } },
  },
  _count: { select: { projects: true, repositories: true } },
} as const

interface TeamRow {
  id: string
  slug: string
  name: string
  createdAt: Date
  deletedAt: Date | null
  purgeAt: Date | null
  memberships: {
    role: Role
    user: { id: string; name: string; email: string; disabledAt: Date | null }
  }[]
  _count: { projects: number; repositories: number }
}

/** Every team, oldest first, with what it takes up. Nothing that is inside of them. */
export async function listManagedTeams(
  platform: Platform,
  viewer: Viewer,
  filter: SearchInput = {},
  pageInput?: PageInput,
): Promise<Page<ManagedTeam>> {
  await requireInstallation(platform, viewer, 'installation.read-teams')
  const { search } = validate(searchSchema, filter)
  const page = parsePage(pageInput)
  const rows = await platform.db.team.findMany({
    where: {
      AND: [
        search === undefined
          ? {}
          : { OR: [{ name: contains(search) }, { slug: contains(search) }, { id: search }] },
        { id: { gt: afterId(page) } },
      ],
    },
    include: columns,
    orderBy: { id: 'asc' },
    take: page.limit + 1,
  })
  const shown = await Promise.all(rows.slice(0, page.limit).map((row) => show(platform, row)))
  return { data: shown, nextCursor: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null }
}

/** Throws `not-found` for one that is gone for good; one that can be restored is still there. */
export async function getManagedTeam(
  platform: Platform,
  viewer: Viewer,
  id: string,
): Promise<ManagedTeamDetail> {
  await requireInstallation(platform, viewer, 'installation.read-teams')
  const row = await platform.db.team.findUnique({ where: { id }, include: columns })
  if (row === null) throw notFound('team')
  const members = row.memberships.map(({ role, user: { disabledAt, ...user } }) => ({
    ...{ ...user, role, isSuspended: disabledAt !== null },
  }))
  return { ...(await show(platform, row)), members }
}

/**
 * Makes somebody owner of a team: for one whose owners are gone. Throws `invalid` for an account that is not there or
 * is suspended. The team's own log tells of it, too.
 */
export async function appointOwner(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: AppointOwnerInput,
): Promise<ManagedTeamDetail> {
  await requireInstallation(platform, viewer, 'installation.manage-teams')
  const { userId } = validate(appointOwnerSchema, input)
  await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM teams WHERE id = ${teamId} FOR UPDATE`
    const team = await tx.team.findUnique({ where: { id: teamId, deletedAt: null } })
    if (team === null) throw notFound('team')
    const user = await tx.user.findUnique({ where: { id: userId, disabledAt: null } })
    if (user === null)
      throw new PlatformError('invalid', 'userId: is not an account that can sign in.', {
        fields: [{ path: 'userId', message: 'is not an account that can sign in' }],
      })
    await appoint(tx, viewer, teamId, user)
  })
  await publishAccess(platform, { userId })
  return getManagedTeam(platform, viewer, teamId)
}

async function show(platform: Platform, row: TeamRow): Promise<ManagedTeam> {
  const owners = row.memberships.filter(({ role, user }) => role === 'owner' && user.disabledAt === null)
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    createdAt: row.createdAt.toISOString(),
    deletedAt: row.deletedAt?.toISOString() ?? null,
    purgeAt: row.purgeAt?.toISOString() ?? null,
    owners: owners.map(({ user }) => ({ id: user.id, name: user.name })),
    memberCount: row.memberships.length,
    projectCount: row._count.projects,
    repositoryCount: row._count.repositories,
    used: await readUse(platform.db, row.id),
    limits: await readQuota(platform.db, row.id),
  }
}
