import type { Viewer } from './access.ts'
import { placeOf } from './app-access.ts'
import { lockApp } from './app-lock.ts'
import { inProgressStatuses } from './deployment-cancel.ts'
import { openForDeployment, sealForDeployment } from './effective-variables.ts'
import { PlatformError } from './errors.ts'
import { deploymentSnapshotSchema } from './model/deployment-snapshot.ts'
import type { Deployment } from './model/resources.ts'
import type { Platform } from './open.ts'
import { queueDeployment } from './queue-deployment.ts'
import { settingsToGoBackTo } from './running-settings.ts'
import { emitAppEvent } from './timeline.ts'
import { mountsToGoBackTo } from './volume-mounts.ts'

const system: Viewer = { kind: 'system' }

/**
 * Goes back to what was live before a deployment that crashes in a loop, where its settings ask for it: once. What was
 * itself gone back to that way stays, whatever it does. Null: there is nothing to be done, or not any more.
 */
export async function rollBackAutomatically(
  platform: Platform,
  deploymentId: string,
): Promise<Deployment | null> {
  const crashed = await platform.db.deployment.findUnique({ where: { id: deploymentId } })
  if (crashed === null || crashed.trigger === 'auto_rollback') return null
  const { appId, number, liveAt } = crashed
  if (liveAt === null || !deploymentSnapshotSchema.parse(crashed.snapshot).settings.rollbackOnCrash)
    return null
  const place = await placeOf(platform, appId)
  if (place === null) return null
  let to = 0
  try {
    const deployment = await queueDeployment(platform, system, place, async (tx, id) => {
      const app = await lockApp(tx, appId)
      const underWay = await tx.deployment.count({ where: { appId, status: { in: inProgressStatuses } } })
      // Somebody was quicker: what they deploy, or stopped, is what they want.
      if (app.liveDeploymentId !== deploymentId || app.desiredState !== 'running' || underWay > 0)
        throw nothingToDo()
      const before = await tx.deployment.findFirst({
        where: { appId, liveAt: { lt: liveAt }, imageDigest: { not: null } },
        orderBy: { liveAt: 'desc' },
      })
      if (before === null) throw nothingToDo()
      to = before.number
      const snapshot = deploymentSnapshotSchema.parse(before.snapshot)
      const variables = openForDeployment(platform, before.id, snapshot.variables)
      return {
        trigger: 'auto_rollback',
        toNumber: before.number,
        imageDigest: before.imageDigest,
        snapshot: {
          ...snapshot,
          settings: await settingsToGoBackTo(tx, app, before),
          volumes: await mountsToGoBackTo(tx, appId, before.number, snapshot),
          variables: sealForDeployment(platform, id, variables),
        },
      }
    })
    await emitAppEvent(platform, appId, {
      kind: 'deployment.rolled-back-automatically',
      ...{ deploymentId: deployment.id, number: deployment.number, fromNumber: number, toNumber: to },
    })
    return deployment
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'conflict') return null
    throw error
  }
}

function nothingToDo(): PlatformError {
  return new PlatformError('conflict', 'There is nothing to go back to, or it is not wanted any more.')
}
