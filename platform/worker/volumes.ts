import { publishApp } from '../app-events.ts'
import { record } from '../audit.ts'
import type { Transaction } from '../database.ts'
import { inProgressStatuses } from '../deployment-cancel.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { enqueue } from '../jobs.ts'
import { deploymentSnapshotSchema } from '../model/deployment-snapshot.ts'
import { type VolumeTask, volumeGraceDays, volumeTaskSchema } from '../model/volumes.ts'
import type { Platform } from '../open.ts'
import { type IdRange, idRangeOf } from '../teams.ts'

/** What is to be done with a volume, in this order. */
export interface VolumeWork {
  id: string
  appId: string | null
  name: string
  sizeBytes: number
  idRange: IdRange
  isMade: boolean
  /** Ids of snapshots. */
  removed: string[]
  waiting: string[]
  task: VolumeTask | null
  /** Its grace is over, and nothing that is live or on its way mounts it. */
  isOver: boolean
}

/** Ids of the volumes of a host with which something is to be done. */
export async function dueVolumes(platform: Platform, hostId: string): Promise<string[]> {
  const rows = await platform.db.volume.findMany({
    where: {
      hostId,
      OR: [
        { isMade: false },
        { task: { not: Prisma.DbNull } },
        { purgeAt: { lte: new Date() } },
        { snapshots: { some: { OR: [{ status: 'waiting', kind: 'asked' }, { deletedAt: { not: null } }] } } },
      ],
    },
    select: { id: true },
  })
  return rows.map(({ id }) => id)
}

/** Null when it is gone. */
export async function loadVolumeWork(platform: Platform, id: string): Promise<VolumeWork | null> {
  const row = await platform.db.volume.findUnique({ where: { id }, include: { snapshots: true } })
  if (row === null) return null
  const { appId, name, isMade, purgeAt, snapshots } = row
  const isDue = purgeAt !== null && purgeAt.getTime() <= Date.now()
  return {
    ...{ id, appId, name, isMade, sizeBytes: Number(row.sizeBytes) },
    idRange: await idRangeOf(platform, row.teamId),
    removed: snapshots.filter(({ deletedAt }) => deletedAt !== null).map((each) => each.id),
    waiting: snapshots
      .filter(({ status, kind }) => status === 'waiting' && kind === 'asked')
      .map((each) => each.id),
    task: volumeTaskSchema.nullable().parse(row.task),
    isOver: isDue && !(await isMounted(platform, appId, id)),
  }
}

async function isMounted(platform: Platform, appId: string | null, id: string): Promise<boolean> {
  if (appId === null) return false
  const deployments = await platform.db.deployment.findMany({
    where: { appId, OR: [{ liveOf: { isNot: null } }, { status: { in: inProgressStatuses } }] },
    select: { snapshot: true },
  })
  return deployments.some(({ snapshot }) => {
    const { volumes } = deploymentSnapshotSchema.parse(snapshot)
    return volumes === null || volumes.some((each) => each.id === id)
  })
}

export async function volumeIsMade(platform: Platform, { id, appId }: VolumeWork): Promise<void> {
  await platform.db.volume.updateMany({ where: { id }, data: { isMade: true, problem: null } })
  await tell(platform, appId)
}

export async function volumeHasProblem(
  platform: Platform,
  { id, appId }: VolumeWork,
  problem: string,
): Promise<void> {
  const { count } = await platform.db.volume.updateMany({
    where: { id, OR: [{ problem: null }, { problem: { not: problem } }] },
    data: { problem },
  })
  if (count > 0) await tell(platform, appId)
}

export async function snapshotIsRemoved(
  platform: Platform,
  { appId }: VolumeWork,
  id: string,
): Promise<void> {
  await platform.db.volumeSnapshot.deleteMany({ where: { id } })
  await tell(platform, appId)
}

export async function snapshotIsMade(
  platform: Platform,
  { appId }: VolumeWork,
  id: string,
  allocatedBytes: number,
): Promise<void> {
  const data = { status: 'ready', allocatedBytes, finishedAt: new Date() }
  await platform.db.volumeSnapshot.updateMany({ where: { id }, data })
  await tell(platform, appId)
}

export async function snapshotFailed(
  platform: Platform,
  { appId }: VolumeWork,
  id: string,
  message: string,
): Promise<void> {
  const data = { status: 'failed', message, allocatedBytes: 0, finishedAt: new Date() }
  await platform.db.volumeSnapshot.updateMany({ where: { id }, data })
  await tell(platform, appId)
}

/** Its task is done, or, with a problem, everything is as it was. */
export async function finishTask(
  platform: Platform,
  { id, appId, task }: VolumeWork,
  end: { problem: string } | { allocatedBytes?: number },
): Promise<void> {
  if (task === null) return
  const problem = 'problem' in end ? end.problem : null
  await platform.db.$transaction(async (tx) => {
    if (task.kind === 'restore') {
      const data = {
        ...{ status: 'ready', finishedAt: new Date() },
        ...('allocatedBytes' in end ? { allocatedBytes: end.allocatedBytes } : {}),
      }
      if (problem === null) await tx.volumeSnapshot.updateMany({ where: { id: task.keepAs }, data })
      else await tx.volumeSnapshot.deleteMany({ where: { id: task.keepAs } })
    }
    const size =
      task.kind === 'restore' ? {} : { sizeBytes: problem === null ? task.toBytes : task.fromBytes }
    await tx.volume.updateMany({ where: { id }, data: { task: Prisma.DbNull, problem, ...size } })
  })
  await tell(platform, appId)
}

/** Nothing is left of it on its host. */
export async function volumeIsGone(platform: Platform, { id, name, appId }: VolumeWork): Promise<void> {
  await platform.db.$transaction(async (tx) => {
    const volume = await tx.volume.findUnique({ where: { id } })
    if (volume === null) return
    await tx.volume.delete({ where: { id } })
    const target = { type: 'volume', id, name }
    await record(tx, { kind: 'system' }, { teamId: volume.teamId, action: 'volume.purge', target })
  })
  await tell(platform, appId)
}

/** Volumes of a host that are on its disk. */
export async function madeVolumes(
  platform: Platform,
  hostId: string,
): Promise<{ id: string; usedBytes: number | null }[]> {
  const rows = await platform.db.volume.findMany({
    where: { hostId, isMade: true },
    select: { id: true, usedBytes: true },
  })
  return rows.map(({ id, usedBytes }) => ({ id, usedBytes: usedBytes === null ? null : Number(usedBytes) }))
}

export async function reportVolumeUse(platform: Platform, id: string, usedBytes: number): Promise<void> {
  await platform.db.volume.updateMany({ where: { id }, data: { usedBytes, measuredAt: new Date() } })
}

/** An app goes: what it kept stays for as long as that of a deleted volume. */
export async function leaveVolumes(tx: Transaction, appId: string): Promise<void> {
  const [now, purgeAt] = [new Date(), new Date(Date.now() + volumeGraceDays * 86_400_000)]
  await tx.volume.updateMany({ where: { appId, deletedAt: null }, data: { deletedAt: now, purgeAt } })
}

/** The volumes of a team whose grace is over have none of their own any more. Answers with how many there are. */
export async function hurryVolumes(platform: Platform, teamId: string): Promise<number> {
  const { db } = platform
  const now = new Date()
  await db.volume.updateMany({ where: { teamId, deletedAt: null }, data: { deletedAt: now } })
  await db.volume.updateMany({ where: { teamId }, data: { purgeAt: now } })
  const volumes = await db.volume.findMany({ where: { teamId }, select: { id: true, hostId: true } })
  for (const { id, hostId } of volumes) await enqueue(platform, hostId, 'work-on-volume', { volumeId: id })
  return volumes.length
}

async function tell(platform: Platform, appId: string | null): Promise<void> {
  if (appId !== null) await publishApp(platform, appId)
}
