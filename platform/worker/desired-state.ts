import { inProgressStatuses } from '../deployment-cancel.ts'
import { publish, streams } from '../event-log.ts'
import { Prisma } from '../generated/prisma/client.ts'
import type { DeploymentStatus } from '../model/deployment-status.ts'
import { type Size, sizeOfProcess } from '../model/scale.ts'
import type { Platform } from '../open.ts'
import { pendingScaling } from '../running-settings.ts'
import { type RecordedContainer, recordedColumns } from './deployments.ts'
import { leaveVolumes } from './volumes.ts'

export interface DesiredApp {
  appId: string
  slug: string
  teamId: string
  environmentId: string
  desiredState: 'running' | 'stopped' | 'deleted'
  /** Null when it has never been live. loadDeployment() has what is needed to run it again. */
  liveDeploymentId: string | null
  /** How many containers of each process the live deployment should have; none when there is no such deployment. */
  replicas: Record<string, number>
  hasVolumes: boolean
  /** It is being brought to another size; `replicas` are then the smaller of the two. */
  isScaling: boolean
  /** Waiting or being carried out, oldest first. */
  inProgress: {
    id: string
    number: number
    status: DeploymentStatus
    cancelAsked: boolean
    createdAt: Date
  }[]
  /** Every container that was recorded and not reported as removed, of any deployment of the app. */
  containers: RecordedContainer[]
}

/** What should be on a host: all its apps. Reconcile compares it with what the engine has. */
export async function desiredState(platform: Platform, hostId: string): Promise<DesiredApp[]> {
  return readApps(platform, { hostId })
}

/** One app of a host; null when it is gone. */
export async function desiredApp(
  platform: Platform,
  hostId: string,
  appId: string,
): Promise<DesiredApp | null> {
  return (await readApps(platform, { hostId, id: appId }))[0] ?? null
}

/** What a deleted team has is stopped, and kept as it is: the team may come back. */
export function wantedState(
  own: DesiredApp['desiredState'],
  team: { deletedAt: Date | null },
): DesiredApp['desiredState'] {
  return own === 'running' && team.deletedAt !== null ? 'stopped' : own
}

async function readApps(platform: Platform, where: { hostId: string; id?: string }): Promise<DesiredApp[]> {
  const rows = await platform.db.app.findMany({
    where,
    orderBy: { id: 'asc' },
    select: {
      id: true,
      slug: true,
      environmentId: true,
      desiredState: true,
      liveDeploymentId: true,
      scaling: true,
      // Also those that are to be removed: what is live may hold them.
      _count: { select: { volumes: true } },
      project: { select: { teamId: true, team: { select: { deletedAt: true } } } },
      containers: {
        where: { state: { not: 'removed' } },
        orderBy: [{ createdAt: 'asc' }, { replica: 'asc' }],
        select: recordedColumns,
      },
      deployments: {
        where: { status: { in: inProgressStatuses } },
        orderBy: { number: 'asc' },
        select: { id: true, number: true, status: true, cancelAskedAt: true, createdAt: true },
      },
    },
  })
  const replicas = await liveReplicas(
    platform,
    rows.flatMap(({ liveDeploymentId }) => liveDeploymentId ?? []),
  )
  return rows.map(({ id, project, deployments, _count, scaling, ...row }) => {
    const pending = pendingScaling(scaling, row.liveDeploymentId)
    const wanted = replicas.get(row.liveDeploymentId ?? '') ?? {}
    return {
      appId: id,
      ...row,
      isScaling: pending !== null,
      replicas: pending === null ? wanted : smaller(wanted, pending.from),
      hasVolumes: _count.volumes > 0,
      desiredState: wantedState(row.desiredState, project.team),
      teamId: project.teamId,
      inProgress: deployments.map(({ cancelAskedAt, ...rest }) => ({
        ...rest,
        cancelAsked: cancelAskedAt !== null,
      })),
    }
  })
}

/** How many containers of each process these deployments should have. */
async function liveReplicas(
  platform: Platform,
  deploymentIds: string[],
): Promise<Map<string, Record<string, number>>> {
  if (deploymentIds.length === 0) return new Map()
  const rows = await platform.db.$queryRaw<{ id: string; process: string; replicas: number }[]>`
    SELECT id, process, replicas FROM deployments CROSS JOIN LATERAL (
      SELECT 'web' AS process, coalesce(size->>'replicas', snapshot->'settings'->>'replicas')::int AS replicas
      UNION ALL
      SELECT key, coalesce(size->'processes'->key->>'replicas', value->>'replicas')::int
      FROM jsonb_each(coalesce(snapshot->'settings'->'processes', '{}'))
    ) AS processes
    WHERE id IN (${Prisma.join(deploymentIds)})`
  const found = new Map<string, Record<string, number>>()
  for (const { id, process, replicas } of rows) found.set(id, { ...found.get(id), [process]: replicas })
  return found
}

function smaller(wanted: Record<string, number>, size: Size): Record<string, number> {
  return Object.fromEntries(
    Object.entries(wanted).map(([name, replicas]) => [
      name,
      Math.min(replicas, sizeOfProcess(size, name)?.replicas ?? replicas),
    ]),
  )
}

/** Everything of a deleted app was removed from its host: now it is gone. May be called twice. */
export async function finishDelete(platform: Platform, appId: string): Promise<void> {
  const app = await platform.db.app.findUnique({
    where: { id: appId },
    select: { desiredState: true, projectId: true, project: { select: { teamId: true } } },
  })
  if (app === null || app.desiredState !== 'deleted') return
  await platform.db.$transaction(async (tx) => {
    await leaveVolumes(tx, appId)
    await tx.app.deleteMany({ where: { id: appId, desiredState: 'deleted' } })
  })
  const event = { type: 'app-deleted', appId, projectId: app.projectId } as const
  await publish(platform, streams.team(app.project.teamId), event)
  await platform.redis.del(streams.appLogs(appId).name).catch(() => undefined)
}
