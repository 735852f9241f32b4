import { notFound, type ProjectAction, requireProject, type Viewer } from './access.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import type { Prisma } from './generated/prisma/client.ts'
import { type Volume, type VolumeSnapshot, volumeSnapshotSchema, volumeTaskSchema } from './model/volumes.ts'
import type { Platform } from './open.ts'

export const volumeColumns = {
  snapshots: { orderBy: { id: 'desc' } },
} as const satisfies Prisma.VolumeInclude

export type VolumeRow = Prisma.VolumeGetPayload<{ include: typeof volumeColumns }>

export function showVolume(row: VolumeRow): Volume {
  const { id, appId, appName, name, mountPath, isMade, problem } = row
  return {
    ...{ id, appId, appName, name, mountPath, isMade, problem },
    sizeBytes: Number(row.sizeBytes),
    usedBytes: row.usedBytes === null ? null : Number(row.usedBytes),
    measuredAt: row.measuredAt?.toISOString() ?? null,
    task: volumeTaskSchema.nullable().parse(row.task)?.kind ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
    purgeAt: row.purgeAt?.toISOString() ?? null,
    snapshots: row.snapshots.map(showVolumeSnapshot),
    createdAt: row.createdAt.toISOString(),
  }
}

export function showVolumeSnapshot(row: VolumeRow['snapshots'][number]): VolumeSnapshot {
  const { id, volumeId, note, message } = row
  return volumeSnapshotSchema.parse({
    ...{ id, volumeId, note, message, kind: row.kind, by: row.actorName },
    status: row.deletedAt === null ? row.status : 'removing',
    allocatedBytes: row.status === 'ready' ? Number(row.allocatedBytes) : null,
    createdAt: row.createdAt.toISOString(),
  })
}

export async function readVolume(platform: Platform, id: string): Promise<Volume> {
  const row = await platform.db.volume.findUnique({ where: { id }, include: volumeColumns })
  if (row === null) throw notFound('volume')
  return showVolume(row)
}

export interface VolumePlace {
  teamId: string
  projectId: string
  appId: string | null
  hostId: string
}

/** Where a volume belongs, if the caller may do this to it. Throws `not-found` or `forbidden`. */
export async function volumeAccess(
  platform: Platform,
  viewer: Viewer,
  id: string,
  action: ProjectAction,
): Promise<VolumePlace> {
  const row = await platform.db.volume.findUnique({
    where: { id },
    select: { teamId: true, projectId: true, appId: true, hostId: true },
  })
  if (row === null || row.projectId === null) throw notFound('volume')
  const { teamId, projectId, appId, hostId } = row
  await requireProject(
    platform,
    viewer,
    { teamId, projectId, ...(appId === null ? {} : { appId }) },
    action,
    'volume',
  )
  return { teamId, projectId, appId, hostId }
}

/** Its row, and nobody else changes it until the transaction ends. Throws `not-found`. */
export async function lockVolume(tx: Transaction, id: string): Promise<VolumeRow> {
  await tx.$executeRaw`SELECT 1 FROM volumes WHERE id = ${id} FOR UPDATE`
  const row = await tx.volume.findUnique({ where: { id }, include: volumeColumns })
  if (row === null) throw notFound('volume')
  return row
}

/** Throws `conflict` for one that is deleted or that something is being done with. */
export function requireIdle({ name, task, deletedAt }: VolumeRow): void {
  if (deletedAt !== null)
    throw new PlatformError('conflict', `The volume ${name} is deleted. Undo that first.`)
  const doing = volumeTaskSchema.nullable().parse(task)?.kind
  if (doing === undefined) return
  const what = doing === 'restore' ? 'being restored' : 'getting another size'
  throw new PlatformError('conflict', `The volume ${name} is ${what}. Wait until that is done.`)
}
