import type { Viewer } from './access.ts'
import type { AppPlace } from './app-access.ts'
import { publishStatus, type StatusChange } from './app-events.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { askedKey, tellOfStatus } from './deployment-events.ts'
import { deploymentColumns, showDeployment } from './deployment-view.ts'
import { enqueue } from './jobs.ts'
import type { BuildSource, UploadFormat } from './model/builds.ts'
import type { DeploymentSnapshot } from './model/deployment-snapshot.ts'
import { newId } from './model/ids.ts'
import type { Deployment } from './model/resources.ts'
import type { Platform } from './open.ts'
import { requireFreePorts } from './ports/claims.ts'
import { checkQuota, growth, lockTeam } from './quotas.ts'
import { announce, tellOfApp } from './timeline.ts'
import { mountsOf } from './volume-mounts.ts'

export interface DeploymentPlan {
  trigger: Deployment['trigger']
  /** Number of the deployment that a rollback goes back to. */
  toNumber: number | null
  imageDigest: string | null
  /** Without volumes: it mounts what the app has. */
  snapshot: Omit<DeploymentSnapshot, 'volumes'> & Partial<Pick<DeploymentSnapshot, 'volumes'>>
  /** What its image is made of first. */
  build?: { source: BuildSource; format: UploadFormat; sourceBytes: number; sourceFile: string }
}

/**
 * Records a deployment and asks the host's worker to carry it out; those of the app that still wait are superseded.
 * `plan` must lock the app's row: numbers are given out under that lock. Throws `quota-exceeded`, `conflict` where a port
 * of it is another app's now, and what `plan` throws.
 */
export async function queueDeployment(
  platform: Platform,
  viewer: Viewer,
  place: AppPlace,
  plan: (tx: Transaction, id: string) => Promise<DeploymentPlan>,
): Promise<Deployment> {
  const { appId, teamId, hostId } = place
  const { row, changes, told } = await platform.db.$transaction(async (tx) => {
    const id = newId('deployment')
    await lockTeam(tx, teamId)
    const { trigger, toNumber, imageDigest, build, ...planned } = await plan(tx, id)
    const volumes = planned.snapshot.volumes ?? (await mountsOf(tx, appId))
    const snapshot: DeploymentSnapshot = { ...planned.snapshot, volumes }
    await checkQuota(tx, teamId, await growth(tx, appId, snapshot.settings))
    // Those of an earlier deployment may have been given to another app since.
    await requireFreePorts(tx, place, Object.keys(snapshot.settings.ports))
    const { _max } = await tx.deployment.aggregate({ where: { appId }, _max: { number: true } })
    const superseded = await tx.deployment.updateManyAndReturn({
      where: { appId, status: 'queued' },
      data: { status: 'superseded', finishedAt: new Date() },
      select: { id: true, number: true },
    })
    const deployment = await tx.deployment.create({
      data: {
        id,
        appId,
        number: (_max.number ?? 0) + 1,
        trigger,
        createdById: viewer.kind === 'user' || viewer.kind === 'token' ? viewer.userId : null,
        imageRef: snapshot.settings.image,
        imageDigest,
        snapshot,
        ...(build === undefined ? {} : { build: { create: build } }),
      },
      include: deploymentColumns,
    })
    await tx.app.update({ where: { id: appId }, data: { desiredState: 'running' } })
    await record(tx, viewer, {
      teamId,
      action: isRollback(trigger) ? 'deployment.rollback' : 'deployment.create',
      target: { type: 'deployment', id, name: `${place.name} #${deployment.number}` },
      detail: { appId, image: deployment.imageRef, ...followDetail(snapshot) },
    })
    const asked = {
      deploymentId: id,
      number: deployment.number,
      image: deployment.imageRef,
      trigger,
      toNumber,
      followed: trigger === 'push' ? (snapshot.followed?.tag ?? null) : null,
    }
    const told = await tellOfApp(tx, {
      ...{ appId, by: viewer, key: askedKey(id) },
      event: { kind: 'deployment.asked', ...asked },
    })
    const changes: StatusChange[] = [
      ...superseded.map((old) => ({ ...change(old), status: 'superseded' as const })),
      { ...change(deployment), status: 'queued' },
    ]
    for (const skipped of changes) told.push(...(await tellOfStatus(tx, skipped, viewer)))
    return { row: deployment, changes, told }
  })
  await publishStatus(platform, ...changes)
  await announce(platform, told)
  await enqueue(platform, hostId, 'deploy', { deploymentId: row.id })
  return showDeployment(row, null)

  function change(deployment: { id: string; number: number }): Omit<StatusChange, 'status'> {
    return { teamId, appId, deploymentId: deployment.id, number: deployment.number, failure: null }
  }
}

function followDetail({ followed }: DeploymentSnapshot): Record<string, string | null> {
  return followed === null ? {} : { followed: followed.tag, pushedBy: followed.pushedBy }
}

function isRollback(trigger: Deployment['trigger']): boolean {
  return trigger === 'rollback' || trigger === 'auto_rollback'
}
