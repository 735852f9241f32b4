import { inProgressStatuses } from '../deployment-cancel.ts'
import { keptDeployments } from '../kept-deployments.ts'
import type { Platform } from '../open.ts'

/**
 * Digests of the images that a host must keep: of what is live, of what is on its way, and of the deployments that
 * are kept to be gone back to. A rollback beyond those pulls its image again.
 */
export async function keptImages(platform: Platform, hostId: string): Promise<string[]> {
  const apps = await platform.db.app.findMany({
    where: { hostId, desiredState: { not: 'deleted' } },
    select: {
      liveDeployment: { select: { imageDigest: true } },
    },
  })
  const kept = await keptDeployments(platform.db, { hostId })
  const onTheirWay = await platform.db.deployment.findMany({
    where: { app: { hostId }, status: { in: inProgressStatuses } },
    select: { imageDigest: true },
  })
  const all = [...apps.map(({ liveDeployment }) => liveDeployment), ...kept, ...onTheirWay]
  return [...new Set(all.flatMap((deployment) => deployment?.imageDigest ?? []))]
}
