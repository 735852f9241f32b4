import { publishStatus, type StatusChange } from '../app-events.ts'
import { tellOfStatus } from '../deployment-events.ts'
import { Prisma } from '../generated/prisma/client.ts'
import {
  canBecome,
  type DeploymentStatus,
  deploymentStatuses,
  isTerminal,
} from '../model/deployment-status.ts'
import type { Failure } from '../model/failure.ts'
import type { Platform } from '../open.ts'
import { announce } from '../timeline.ts'

export interface StatusDetails {
  /** Must be there when the status is failed. */
  failure?: Failure
  /** sha256:… once resolved. */
  imageDigest?: string
}

/**
 * Moves a deployment on, if it may still go there: the check and the change are one statement, so of two who try only
 * one succeeds. False: it is elsewhere by now (canceled, superseded, gone), and the worker must give up on it.
 * `live` is said by markLive alone.
 */
export async function setDeploymentStatus(
  platform: Platform,
  id: string,
  status: Exclude<DeploymentStatus, 'live'>,
  details: StatusDetails = {},
): Promise<boolean> {
  const now = new Date()
  const failure = details.failure ?? null
  if ((status === 'failed') !== (failure !== null))
    throw new Error('failed, and only failed, needs a failure')
  const moved = await platform.db.$transaction(async (tx) => {
    const [row] = await tx.deployment.updateManyAndReturn({
      where: { id, status: { in: statusesBefore(status) } },
      data: {
        status,
        failure: failure ?? Prisma.DbNull,
        ...(details.imageDigest === undefined ? {} : { imageDigest: details.imageDigest }),
        ...(isTerminal(status) ? { finishedAt: now } : {}),
      },
      select: {
        number: true,
        appId: true,
        startedAt: true,
        app: { select: { project: { select: { teamId: true } } } },
      },
    })
    if (row === undefined) return null
    const { number, appId } = row
    const { teamId } = row.app.project
    const change = { teamId, appId, deploymentId: id, number, status, failure }
    return { row, change, told: await tellOfStatus(tx, change) }
  })
  if (moved === null) return false
  const { row, change, told } = moved
  if (row.startedAt === null && !isTerminal(status)) {
    await platform.db.deployment.updateMany({ where: { id, startedAt: null }, data: { startedAt: now } })
  }
  await publishStatus(platform, change)
  await announce(platform, told)
  return true
}

/** Records the digest that the image's reference was resolved to. */
export async function setImageDigest(platform: Platform, id: string, imageDigest: string): Promise<void> {
  await platform.db.deployment.updateMany({ where: { id }, data: { imageDigest } })
}

/**
 * Says that a deployment serves: it is live, the one before is superseded, and the app points to it, all in one step.
 * False: it may not become live any more (canceled, failed, or the app was deleted meanwhile).
 */
export async function markLive(platform: Platform, id: string): Promise<boolean> {
  const now = new Date()
  const done = await platform.db.$transaction(async (tx) => {
    const found = await tx.deployment.findUnique({
      where: { id },
      select: { appId: true, app: { select: { project: { select: { teamId: true } } } } },
    })
    if (found === null) return null
    const { appId } = found
    const { teamId } = found.app.project
    // Under the app's lock, as all that changes what an app runs.
    await tx.$executeRaw`SELECT 1 FROM apps WHERE id = ${appId} FOR UPDATE`
    const [live] = await tx.deployment.updateManyAndReturn({
      where: { id, status: { in: statusesBefore('live') }, app: { desiredState: { not: 'deleted' } } },
      data: { status: 'live', liveAt: now },
      select: { number: true },
    })
    if (live === undefined) return null
    const superseded = await tx.deployment.updateManyAndReturn({
      where: { appId, status: 'live', id: { not: id } },
      data: { status: 'superseded', finishedAt: now },
      select: { id: true, number: true },
    })
    await tx.app.update({ where: { id: appId }, data: { liveDeploymentId: id } })
    const common = { teamId, appId, failure: null }
    const serving = { ...common, deploymentId: id, number: live.number, status: 'live' as const }
    const told = await tellOfStatus(tx, serving)
    const changes: StatusChange[] = [
      ...superseded.map((old) => ({
        ...common,
        deploymentId: old.id,
        number: old.number,
        status: 'superseded' as const,
      })),
      serving,
    ]
    return { changes, told }
  })
  if (done === null) return false
  await publishStatus(platform, ...done.changes)
  await announce(platform, done.told)
  return true
}

function statusesBefore(status: DeploymentStatus): DeploymentStatus[] {
  return deploymentStatuses.filter((from) => canBecome(from, status))
}
