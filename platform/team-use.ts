import { isAllowedInstallation, notFound, requireInstallation, requireTeam, type Viewer } from './access.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { isId } from './model/ids.ts'
import { type ChangeQuotaInput, changeQuotaSchema, type TeamUse } from './model/quotas.ts'
import type { Platform } from './open.ts'
import { lockTeam, readQuota, readUse } from './quotas.ts'
import { validate } from './validate.ts'

/** What the team uses and may use: for its members, and for the installation's administrators. */
export async function getTeamUse(platform: Platform, viewer: Viewer, teamId: string): Promise<TeamUse> {
  if (!(await isAllowedInstallation(platform, viewer, 'quota.change')))
    await requireTeam(platform, viewer, teamId, 'quota.read')
  return platform.db.$transaction((tx) => look(tx, teamId))
}

/**
 * Only what is given changes; null: as much as there is. What runs above a lowered limit goes on, and nothing more is
 * begun.
 */
export async function changeQuota(
  platform: Platform,
  viewer: Viewer,
  idOrSlug: string,
  input: ChangeQuotaInput,
): Promise<TeamUse> {
  await requireInstallation(platform, viewer, 'quota.change')
  const change = validate(changeQuotaSchema, input)
  const where = isId('team', idOrSlug) ? { id: idOrSlug } : { slug: idOrSlug }
  const team = await platform.db.team.findUnique({ where, select: { id: true, name: true } })
  if (team === null) throw notFound('team')
  return platform.db.$transaction(async (tx) => {
    await lockTeam(tx, team.id)
    const before = await readQuota(tx, team.id)
    await tx.team.update({
      where: { id: team.id },
      data: {
        maxApps: change.apps,
        maxMemoryBytes: change.memoryBytes,
        maxCpuMillis: change.cpuMillis,
        maxDiskBytes: change.diskBytes,
        maxLogBytes: change.logBytes,
        maxBuilds: change.builds,
        maxPorts: change.ports,
      },
    })
    const use = await look(tx, team.id)
    await record(tx, viewer, {
      teamId: team.id,
      action: 'quota.change',
      target: { type: 'team', id: team.id, name: team.name },
      before,
      after: use.limits,
    })
    return use
  })
}

async function look(tx: Transaction, teamId: string): Promise<TeamUse> {
  return { used: await readUse(tx, teamId), limits: await readQuota(tx, teamId) }
}
