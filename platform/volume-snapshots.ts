import { notFound, type ProjectAction, type Viewer } from './access.ts'
import { actorOf, record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { newId } from './model/ids.ts'
import {
  type CreateVolumeSnapshotInput,
  createVolumeSnapshotSchema,
  maxVolumeSnapshots,
  type Volume,
  type VolumeSnapshot,
  type VolumeTask,
  volumeTaskSchema,
} from './model/volumes.ts'
import type { Platform } from './open.ts'
import { checkQuota, lockTeam } from './quotas.ts'
import { validate } from './validate.ts'
import {
  lockVolume,
  readVolume,
  requireIdle,
  showVolumeSnapshot,
  type VolumePlace,
  type VolumeRow,
  volumeAccess,
} from './volume-view.ts'
import { begin } from './volumes.ts'

/** Its host copies the volume as it is at one moment. Throws `conflict` where there are too many, `quota-exceeded`. */
export async function createVolumeSnapshot(
  platform: Platform,
  viewer: Viewer,
  volumeId: string,
  input: CreateVolumeSnapshotInput = {},
): Promise<VolumeSnapshot> {
  const place = await volumeAccess(platform, viewer, volumeId, 'volume.write')
  const { note } = validate(createVolumeSnapshotSchema, input)
  const id = newId('volumeSnapshot')
  const row = await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, place.teamId)
    const volume = await lockVolume(tx, volumeId)
    requireIdle(volume)
    await addRow(tx, viewer, place, volume, { id, kind: 'asked', note })
    const target = { type: 'volume', id: volumeId, name: volume.name }
    const detail = { snapshotId: id, note }
    await record(tx, viewer, { teamId: place.teamId, action: 'volume.snapshot', target, detail })
    return tx.volumeSnapshot.findUniqueOrThrow({ where: { id } })
  })
  await begin(platform, place, volumeId)
  return showVolumeSnapshot(row)
}

/** May be called twice. Throws `conflict` while the volume is being restored from it. */
export async function deleteVolumeSnapshot(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const { volumeId, ...place } = await snapshotAccess(platform, viewer, id, 'volume.delete')
  await platform.db.$transaction(async (tx) => {
    const volume = await lockVolume(tx, volumeId)
    const task = volumeTaskSchema.nullable().parse(volume.task)
    if (task?.kind === 'restore' && (task.snapshotId === id || task.keepAs === id))
      throw new PlatformError('conflict', 'The volume is being restored with it. Wait until that is done.')
    await tx.volumeSnapshot.update({ where: { id }, data: { deletedAt: new Date() } })
    const target = { type: 'volume', id: volumeId, name: volume.name }
    const detail = { snapshotId: id }
    await record(tx, viewer, { teamId: place.teamId, action: 'volume.remove-snapshot', target, detail })
  })
  await begin(platform, place, volumeId)
}

/**
 * The volume is as it was then, and as it is now it is a snapshot, too. The app is stopped for the moment in which the
 * one takes the place of the other. Throws `conflict`, `quota-exceeded`.
 */
export async function restoreVolume(platform: Platform, viewer: Viewer, id: string): Promise<Volume> {
  const { volumeId, ...place } = await snapshotAccess(platform, viewer, id, 'volume.restore')
  await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, place.teamId)
    const volume = await lockVolume(tx, volumeId)
    requireIdle(volume)
    const snapshot = volume.snapshots.find((each) => each.id === id)
    if (snapshot?.status !== 'ready' || snapshot.deletedAt !== null)
      throw new PlatformError(
        'conflict',
        'The snapshot is not ready, so the volume can’t be restored from it.',
      )
    const keepAs = newId('volumeSnapshot')
    await addRow(tx, viewer, place, volume, { id: keepAs, kind: 'before-restore', note: '' })
    const task: VolumeTask = { kind: 'restore', snapshotId: id, keepAs }
    await tx.volume.update({ where: { id: volumeId }, data: { task, problem: null } })
    const target = { type: 'volume', id: volumeId, name: volume.name }
    const detail = { snapshotId: id, keptAs: keepAs }
    await record(tx, viewer, { teamId: place.teamId, action: 'volume.restore', target, detail })
  })
  await begin(platform, place, volumeId)
  return readVolume(platform, volumeId)
}

async function addRow(
  tx: Transaction,
  viewer: Viewer,
  { teamId }: VolumePlace,
  volume: VolumeRow,
  own: { id: string; kind: 'asked' | 'before-restore'; note: string },
): Promise<void> {
  if (volume.snapshots.length >= maxVolumeSnapshots)
    throw new PlatformError(
      'conflict',
      `A volume has at most ${maxVolumeSnapshots} snapshots. Remove one first.`,
    )
  const allocatedBytes = volume.usedBytes ?? volume.sizeBytes
  await checkQuota(tx, teamId, { diskBytes: Number(allocatedBytes) })
  const { actorName } = await actorOf(tx, viewer)
  await tx.volumeSnapshot.create({ data: { ...own, volumeId: volume.id, allocatedBytes, actorName } })
}

async function snapshotAccess(
  platform: Platform,
  viewer: Viewer,
  id: string,
  action: ProjectAction,
): Promise<VolumePlace & { volumeId: string }> {
  const row = await platform.db.volumeSnapshot.findUnique({ where: { id }, select: { volumeId: true } })
  if (row === null) throw notFound('snapshot')
  return { ...(await volumeAccess(platform, viewer, row.volumeId, action)), volumeId: row.volumeId }
}
