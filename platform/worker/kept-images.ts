import { inProgressStatuses } from '../deployment-cancel.ts'
import type { Platform } from '../open.ts'

/** Of each app so many deployments that were live can be gone back to without a registry's help. */
export const rollbacksKept = 10

/**
 * Digests of the images that a host must keep: of what is live, of what is on its way, and of the latest deployments
 * that can be gone back to. A rollback beyond those pulls its image again.
 */
export async function keptImages(platform: Platform, hostId: string): Promise<string[]> {
  const apps = await platform.db.app.findMany({
    where: { hostId, desiredState: { not: 'deleted' } },
    select: {
      liveDeployment: { select: { imageDigest: true } },
      deployments: {
        where: { liveAt: { not: null } },
        orderBy: { liveAt: 'desc' },
        take: rollbacksKept,
        select: { imageDigest: true },
      },
    },
  })
  const onTheirWay = await platform.db.deployment.findMany({
    where: { app: { hostId }, status: { in: inProgressStatuses } },
    select: { imageDigest: true },
  })
  const all = [...apps.flatMap((app) => [app.liveDeployment, ...app.deployments]), ...onTheirWay]
  return [...new Set(all.flatMap((deployment) => deployment?.imageDigest ?? []))]
}
