import { isAllowedInstallation, notFound, requireInstallation, requireTeam, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { publishApp, publishStatus } from './app-events.ts'
import { record } from './audit.ts'
import { callOff } from './deployment-cancel.ts'
import { PlatformError } from './errors.ts'
import { enqueue } from './jobs.ts'
import { isId } from './model/ids.ts'
import { type DeleteTeamInput, deleteTeamSchema } from './model/inputs.ts'
import type { DeletedTeam } from './model/resources.ts'
import type { Platform } from './open.ts'
import { lockTeam } from './quotas.ts'
import { announce } from './timeline.ts'
import { validate } from './validate.ts'

/** So long a deleted team can be brought back. Then everything of it is removed. */
export const graceDays = 7

/**
 * Its apps stop, and nobody sees it any more; nothing is lost until the grace is over. `confirm` must be its name or its
 * slug. Throws `forbidden` to whoever is no owner.
 */
export async function deleteTeam(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: DeleteTeamInput,
): Promise<DeletedTeam> {
  await requireTeam(platform, viewer, teamId, 'team.delete')
  return deleteAllowed(platform, viewer, teamId, input)
}

/** The same for administrators of the installation, whosever team it is. Throws `forbidden` to others, `not-found`. */
export async function deleteAnyTeam(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: DeleteTeamInput,
): Promise<DeletedTeam> {
  await requireInstallation(platform, viewer, 'installation.manage-teams')
  return deleteAllowed(platform, viewer, teamId, input)
}

async function deleteAllowed(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: DeleteTeamInput,
): Promise<DeletedTeam> {
  const { confirm } = validate(deleteTeamSchema, input)
  const { row, calledOff, apps } = await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, teamId)
    const team = await tx.team.findUnique({ where: { id: teamId, deletedAt: null } })
    if (team === null) throw notFound('team')
    if (confirm !== team.name && confirm !== team.slug) {
      const message = "must be the team's name"
      throw new PlatformError('invalid', `confirm: ${message}.`, { fields: [{ path: 'confirm', message }] })
    }
    const now = Date.now()
    const row = await tx.team.update({
      where: { id: teamId },
      data: { deletedAt: new Date(now), purgeAt: new Date(now + graceDays * 86_400_000) },
    })
    const apps = await tx.app.findMany({ where: { project: { teamId } }, select: { id: true, hostId: true } })
    const calledOff = []
    for (const { id } of apps) calledOff.push(await callOff(tx, viewer, { appId: id, teamId }))
    await record(tx, viewer, { teamId, action: 'team.delete', target: target(row) })
    return { row, calledOff, apps }
  })
  await publishAccess(platform, { teamId })
  for (const { changes, told } of calledOff) {
    await publishStatus(platform, ...changes)
    await announce(platform, told)
  }
  await hurry(platform, apps, 'stop-app')
  return show(row)
}

/** Its apps run again as they did. For its owners, and for administrators of the installation. */
export async function restoreTeam(
  platform: Platform,
  viewer: Viewer,
  idOrSlug: string,
): Promise<DeletedTeam> {
  const found = await findDeletedTeam(platform, viewer, idOrSlug)
  const { row, apps } = await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, found.id)
    const { count } = await tx.team.updateMany({
      where: { id: found.id, purgeAt: { gt: new Date() } },
      data: { deletedAt: null, purgeAt: null },
    })
    if (count === 0)
      throw new PlatformError('gone', 'The grace is over: everything of the team is being removed.')
    const row = await tx.team.findUniqueOrThrow({ where: { id: found.id } })
    await record(tx, viewer, { teamId: row.id, action: 'team.restore', target: target(row) })
    const apps = await tx.app.findMany({
      where: { project: { teamId: row.id }, desiredState: 'running', liveDeploymentId: { not: null } },
      select: { id: true, hostId: true },
    })
    return { row, apps }
  })
  await hurry(platform, apps, 'start-app')
  return show(row)
}

/** Those that the caller could restore, newest first; administrators see all. Few: a week's. */
export async function listDeletedTeams(platform: Platform, viewer: Viewer): Promise<DeletedTeam[]> {
  const where = await restorable(platform, viewer)
  if (where === null) return []
  const rows = await platform.db.team.findMany({
    where: { AND: [where, { deletedAt: { not: null } }] },
    orderBy: { deletedAt: 'desc' },
    take: 100,
  })
  return rows.map(show)
}

/** Throws `not-found` where there is none, or none that the caller could restore. */
export async function findDeletedTeam(
  platform: Platform,
  viewer: Viewer,
  idOrSlug: string,
): Promise<DeletedTeam> {
  const where = await restorable(platform, viewer)
  const named = isId('team', idOrSlug) ? { id: idOrSlug } : { addresses: { some: { slug: idOrSlug } } }
  const row =
    where === null
      ? null
      : await platform.db.team.findFirst({ where: { AND: [where, named, { deletedAt: { not: null } }] } })
  if (row === null) throw notFound('team')
  return show(row)
}

/** A token brings nothing back. */
async function restorable(platform: Platform, viewer: Viewer) {
  if (await isAllowedInstallation(platform, viewer, 'team.restore')) return {}
  if (viewer.kind !== 'user') return null
  const { userId } = viewer
  return { memberships: { some: { userId, role: 'owner' as const, user: { disabledAt: null } } } }
}

async function hurry(
  platform: Platform,
  apps: { id: string; hostId: string | null }[],
  job: 'stop-app' | 'start-app',
): Promise<void> {
  for (const { id, hostId } of apps) {
    await publishApp(platform, id)
    await enqueue(platform, hostId ?? platform.config.hostId, job, { appId: id })
  }
}

function target(team: { id: string; name: string }): { type: string; id: string; name: string } {
  return { type: 'team', id: team.id, name: team.name }
}

function show(row: {
  id: string
  slug: string
  name: string
  deletedAt: Date | null
  purgeAt: Date | null
}): DeletedTeam {
  const { id, slug, name, deletedAt, purgeAt } = row
  return {
    ...{ id, slug, name },
    deletedAt: deletedAt?.toISOString() ?? null,
    purgeAt: purgeAt?.toISOString() ?? null,
  }
}
