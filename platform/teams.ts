import { notFound, requireInstallation, requireTeam, standingIn, type Viewer, weaker } from './access.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { isId } from './model/ids.ts'
import {
  type CreateTeamInput,
  createTeamSchema,
  type PageInput,
  type RenameTeamInput,
  renameTeamSchema,
} from './model/inputs.ts'
import type { Page, Team } from './model/resources.ts'
import type { Role } from './model/roles.ts'
import { insertTeam } from './new-team.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { lockTeam } from './quotas.ts'
import { withFreeSlug } from './slugs.ts'
import { validate } from './validate.ts'

interface TeamRow {
  id: string
  slug: string
  name: string
  imageNamespace: string
  requiresTwoFactor: boolean
  createdAt: Date
}

/** Those that the caller belongs to (the operator: all), oldest first. */
export async function listTeams(
  platform: Platform,
  viewer: Viewer,
  pageInput?: PageInput,
): Promise<Page<Team>> {
  const page = parsePage(pageInput)
  const rows = await platform.db.team.findMany({
    where: { AND: [visibleTo(viewer), { deletedAt: null, id: { gt: afterId(page) } }] },
    orderBy: { id: 'asc' },
    take: page.limit + 1,
  })
  const roles = new Map<string, Role>()
  for (const row of rows) {
    const standing = await standingIn(platform, viewer, row.id)
    if (standing !== null) roles.set(row.id, weaker(standing.own, standing.most))
  }
  return toPage(
    rows,
    page.limit,
    (row) => row.id,
    (row) => showTeam(row, roles.get(row.id) ?? 'viewer'),
  )
}

function visibleTo(viewer: Viewer) {
  if (viewer.kind === 'operator' || viewer.kind === 'system') return {}
  const narrowed = viewer.kind === 'token' && viewer.teamId !== null ? { id: viewer.teamId } : {}
  return viewer.userId === null ? narrowed : { ...narrowed, memberships: { some: { userId: viewer.userId } } }
}

/** By a former slug too: its answer has the present one. */
export async function getTeam(platform: Platform, viewer: Viewer, idOrSlug: string): Promise<Team> {
  const row = await platform.db.team.findFirst({
    where: {
      deletedAt: null,
      ...(isId('team', idOrSlug) ? { id: idOrSlug } : { addresses: { some: { slug: idOrSlug } } }),
    },
  })
  if (row === null) throw notFound('team')
  const role = await requireTeam(platform, viewer, row.id, 'team.read')
  return showTeam(row, role)
}

/** The caller becomes its owner. Without a slug one is made from the name. */
export async function createTeam(platform: Platform, viewer: Viewer, input: CreateTeamInput): Promise<Team> {
  await requireInstallation(platform, viewer, 'team.create')
  const { name, slug: wanted } = validate(createTeamSchema, input)
  const row = await withFreeSlug({
    wanted,
    name,
    kind: 'team',
    taken: async (beginning) => {
      const rows = await platform.db.teamAddress.findMany({
        where: { slug: { startsWith: beginning } },
        select: { slug: true },
      })
      return rows.map(({ slug }) => slug)
    },
    create: (slug) =>
      platform.db.$transaction(async (tx) => {
        const team = await insertTeam(tx, { name, slug })
        const userId = viewer.kind === 'user' || viewer.kind === 'token' ? viewer.userId : null
        if (userId !== null) {
          await tx.membership.create({ data: { teamId: team.id, userId, role: 'owner' } })
        } else {
          await addAdministrators(tx, team.id)
        }
        await record(tx, viewer, {
          ...{ teamId: team.id, action: 'team.create', target: target(team) },
          after: { name, slug },
        })
        return team
      }),
  })
  return showTeam(row, 'owner')
}

/** What the operator makes belongs to the installation's administrators; otherwise nobody could ever open it. */
async function addAdministrators(tx: Transaction, teamId: string): Promise<void> {
  const admins = await tx.user.findMany({ where: { isAdmin: true, disabledAt: null }, select: { id: true } })
  await tx.membership.createMany({ data: admins.map(({ id }) => ({ teamId, userId: id, role: 'owner' })) })
}

/**
 * Gives it another name, another slug, or both. A former slug goes on leading to it and is nobody else's; its apps keep
 * their host names and its images theirs. Throws `conflict` for a slug that another team has or had.
 */
export async function renameTeam(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: RenameTeamInput,
): Promise<Team> {
  const role = await requireTeam(platform, viewer, teamId, 'team.rename')
  const { name, slug } = validate(renameTeamSchema, input)
  const change = (wanted: string | undefined) =>
    platform.db.$transaction(async (tx) => {
      await lockTeam(tx, teamId)
      const before = await tx.team.findUniqueOrThrow({ where: { id: teamId } })
      if (wanted !== undefined && (await tx.teamAddress.count({ where: { slug: wanted, teamId } })) === 0)
        await tx.teamAddress.create({ data: { slug: wanted, teamId } })
      const team = await tx.team.update({ where: { id: teamId }, data: { name, slug: wanted } })
      await record(tx, viewer, {
        teamId,
        action: 'team.rename',
        target: target(team),
        before: { name: before.name, slug: before.slug },
        after: { name: team.name, slug: team.slug },
      })
      return team
    })
  const row =
    slug === undefined
      ? await change(undefined)
      : await withFreeSlug({ wanted: slug, name: slug, kind: 'team', taken: async () => [], create: change })
  return showTeam(row, role)
}

/** Ids of this range belong to one team's containers and to nothing else on any host. */
export interface IdRange {
  base: number
  size: number
}

const rangeSize = 65_536
const firstBase = 100_000

/** Of what the operator starts by hand: far above every team's. */
export const operatorIdRange: IdRange = { base: 2_000_000_000, size: rangeSize }

/** Containers of a team run as host ids of its own range, which it gets when it first needs it and keeps for ever. */
export async function idRangeOf(platform: Platform, teamId: string): Promise<IdRange> {
  const team = await platform.db.team.findUniqueOrThrow({ where: { id: teamId }, select: { uidBase: true } })
  if (team.uidBase !== null) return { base: team.uidBase, size: rangeSize }
  return platform.db.$transaction(async (tx) => {
    // One at a time: two teams that are new at once must not get the same range.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(7236001)`
    const again = await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: { uidBase: true } })
    if (again.uidBase !== null) return { base: again.uidBase, size: rangeSize }
    const { _max } = await tx.team.aggregate({ _max: { uidBase: true } })
    const base = _max.uidBase === null ? firstBase : _max.uidBase + rangeSize
    await tx.team.update({ where: { id: teamId }, data: { uidBase: base } })
    return { base, size: rangeSize }
  })
}

function target(team: TeamRow): { type: string; id: string; name: string } {
  return { type: 'team', id: team.id, name: team.name }
}

function showTeam(row: TeamRow, role: Role): Team {
  const { id, slug, name, imageNamespace, requiresTwoFactor, createdAt } = row
  return { id, slug, name, role, imageNamespace, requiresTwoFactor, createdAt: createdAt.toISOString() }
}
