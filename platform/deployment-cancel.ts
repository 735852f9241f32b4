import type { Viewer } from './access.ts'
import type { StatusChange } from './app-events.ts'
import type { Transaction } from './database.ts'
import { tellOfStatus } from './deployment-events.ts'
import { deploymentStatuses, isInProgress } from './model/deployment-status.ts'
import type { Told } from './timeline.ts'

export const inProgressStatuses = deploymentStatuses.filter(isInProgress)

/**
 * Calls off deployments in progress, all of an app or one: those that nobody works on yet are canceled at once, the
 * others by their worker, which looks at `cancelAskedAt`. Answers what changed at once, to be published and announced.
 */
export async function callOff(
  tx: Transaction,
  viewer: Viewer,
  of: { appId: string; teamId: string; deploymentId?: string },
): Promise<{ changes: StatusChange[]; told: Told[] }> {
  const { appId, teamId, deploymentId } = of
  const now = new Date()
  const canceled = await tx.deployment.updateManyAndReturn({
    where: { appId, id: deploymentId, status: 'queued' },
    data: { status: 'canceled', cancelAskedAt: now, finishedAt: now },
    select: { id: true, number: true },
  })
  await tx.deployment.updateMany({
    where: { appId, id: deploymentId, status: { in: inProgressStatuses }, cancelAskedAt: null },
    data: { cancelAskedAt: now },
  })
  const changes: StatusChange[] = canceled.map(({ id, number }) => ({
    teamId,
    appId,
    deploymentId: id,
    number,
    status: 'canceled',
    failure: null,
  }))
  const told: Told[] = []
  for (const change of changes) told.push(...(await tellOfStatus(tx, change, viewer)))
  return { changes, told }
}
