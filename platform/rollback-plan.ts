import type { Viewer } from './access.ts'
import { appAccess, deploymentAccess } from './app-access.ts'
import { changesBetween, type Facts, Masked } from './audit-changes.ts'
import { openForDeployment } from './effective-variables.ts'
import { PlatformError } from './errors.ts'
import { keptDeployments } from './kept-deployments.ts'
import type { AppSettings } from './model/app-settings.ts'
import { deploymentSnapshotSchema } from './model/deployment-snapshot.ts'
import type { RollbackPlan } from './model/rollback-plan.ts'
import type { Platform } from './open.ts'
import { runningSettings, settingsToGoBackTo } from './running-settings.ts'

/** What going back to a deployment would change of what serves now. Throws `conflict` for one that was never live. */
export async function planRollback(
  platform: Platform,
  viewer: Viewer,
  deploymentId: string,
): Promise<RollbackPlan> {
  const { appId } = await deploymentAccess(platform, viewer, deploymentId, 'deployment.rollback')
  const { app, ...to } = await platform.db.deployment.findUniqueOrThrow({
    where: { id: deploymentId },
    include: {
      app: {
        select: {
          ...{ liveDeploymentId: true, liveDeployment: true },
          _count: { select: { volumes: { where: { deletedAt: null } } } },
        },
      },
    },
  })
  if (to.liveAt === null || to.imageDigest === null) throw neverLive(to.number)
  const from = app.liveDeployment
  const mayRead = await appAccess(platform, viewer, appId, 'variable.read').then(
    () => true,
    () => false,
  )
  const kept = await keptDeployments(platform.db, { appIds: [appId] })
  const factsWith = (of: { id: string; snapshot: unknown }, settings: AppSettings) =>
    factsOf(platform, of, settings, mayRead)
  const wanted = await settingsToGoBackTo(platform.db, app, to)
  return {
    toNumber: to.number,
    fromNumber: from?.number ?? null,
    image: { from: from === null ? null : imageOf(from), to: imageOf(to) },
    isSameImage: from?.imageDigest === to.imageDigest,
    isKept:
      from?.imageDigest === to.imageDigest || kept.some(({ imageDigest }) => imageDigest === to.imageDigest),
    stopsFirst: app._count.volumes > 0 && from !== null,
    changes: changesBetween(
      from === null ? undefined : factsWith(from, runningSettings(from)),
      factsWith(to, wanted),
    ),
  }
}

export function neverLive(number: number): PlatformError {
  return new PlatformError(
    'conflict',
    `Deployment ${number} was never live, so there is nothing to go back to.`,
  )
}

function imageOf({ imageRef, imageDigest }: { imageRef: string; imageDigest: string | null }) {
  return { reference: imageRef, digest: imageDigest }
}

/** All that runs with it, beside the image. What a deployment is begun by, and what is kept, does not run. */
function factsOf(
  platform: Platform,
  { id, snapshot }: { id: string; snapshot: unknown },
  settings: AppSettings,
  mayRead: boolean,
): Facts {
  const { variables } = deploymentSnapshotSchema.parse(snapshot)
  const { image: _, follow: _follow, keptDeployments: _kept, ...running } = settings
  const opened = openForDeployment(platform, id, variables).map(({ name, value, isSecret, filePath }) => {
    const shown = isSecret || !mayRead ? new Masked(value) : value
    return [name, filePath === null ? shown : { value: shown, filePath }] as const
  })
  return { settings: running, variables: Object.fromEntries(opened) }
}
