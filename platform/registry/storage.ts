import { requireTeam, type Viewer } from '../access.ts'
import { imageUse } from '../disk-use.ts'
import type { RegistryStorage } from '../model/repositories.ts'
import type { Platform } from '../open.ts'

/** What a team's images take. The quota is for its volumes too. */
export async function registryStorage(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
): Promise<RegistryStorage> {
  await requireTeam(platform, viewer, teamId, 'repository.pull')
  const [use, team] = await Promise.all([
    imageUse(platform.db, teamId),
    platform.db.team.findUniqueOrThrow({ where: { id: teamId }, select: { maxDiskBytes: true } }),
  ])
  return { ...use, quotaBytes: team.maxDiskBytes === null ? null : Number(team.maxDiskBytes) }
}
