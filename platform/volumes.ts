import { notFound, type Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { publishApp } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { askHost } from './ask-host.ts'
import { record } from './audit.ts'
import { isUniqueViolation } from './database.ts'
import { PlatformError } from './errors.ts'
import { enqueue } from './jobs.ts'
import { appSettingsSchema } from './model/app-settings.ts'
import { newId } from './model/ids.ts'
import {
  type CreateVolumeInput,
  createVolumeSchema,
  maxVolumes,
  type UndeleteVolumeInput,
  type UpdateVolumeInput,
  undeleteVolumeSchema,
  updateVolumeSchema,
  type Volume,
  type VolumeTask,
  volumeGraceDays,
} from './model/volumes.ts'
import type { Platform } from './open.ts'
import { projectAccess } from './projects.ts'
import { checkQuota, lockTeam } from './quotas.ts'
import { runningSettings } from './running-settings.ts'
import { validate } from './validate.ts'
import { atField, requireFreePath } from './volume-mounts.ts'
import {
  lockVolume,
  readVolume,
  requireIdle,
  showVolume,
  type VolumeRow,
  volumeAccess,
  volumeColumns,
} from './volume-view.ts'

/** By name; those too whose deletion can still be undone. */
export async function listVolumes(platform: Platform, viewer: Viewer, appId: string): Promise<Volume[]> {
  await appAccess(platform, viewer, appId, 'volume.read')
  const rows = await platform.db.volume.findMany({
    where: { appId },
    include: volumeColumns,
    orderBy: { name: 'asc' },
  })
  return rows.map(showVolume)
}

/** Those of a project whose app is gone, as long as that can be undone. */
export async function listLeftVolumes(
  platform: Platform,
  viewer: Viewer,
  projectId: string,
): Promise<Volume[]> {
  await projectAccess(platform, viewer, projectId, 'volume.read')
  const rows = await platform.db.volume.findMany({
    where: { projectId, appId: null },
    include: volumeColumns,
    orderBy: { id: 'asc' },
  })
  return rows.map(showVolume)
}

export async function getVolume(platform: Platform, viewer: Viewer, id: string): Promise<Volume> {
  await volumeAccess(platform, viewer, id, 'volume.read')
  return readVolume(platform, id)
}

/** Its host makes room for it; the app has it from its next deployment on. Throws `conflict` and `quota-exceeded`. */
export async function createVolume(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: CreateVolumeInput,
): Promise<Volume> {
  const {
    teamId,
    projectId,
    hostId,
    name: appName,
  } = await appAccess(platform, viewer, appId, 'volume.write')
  const asked = validate(createVolumeSchema, input)
  const id = newId('volume')
  await withFreeName(asked.name, () =>
    platform.db.$transaction(async (tx) => {
      await lockTeam(tx, teamId)
      const app = await lockApp(tx, appId)
      if ((await tx.volume.count({ where: { appId, deletedAt: null } })) >= maxVolumes)
        throw new PlatformError('conflict', `An app has at most ${maxVolumes} volumes.`)
      const live =
        app.liveDeploymentId === null
          ? null
          : await tx.deployment.findUnique({ where: { id: app.liveDeploymentId } })
      const sizes = [appSettingsSchema.parse(app.settings), ...(live === null ? [] : [runningSettings(live)])]
      if (sizes.some(({ replicas }) => replicas > 1)) throw hasReplicas()
      await requireFreePath(tx, app, asked.mountPath)
      await checkQuota(tx, teamId, { diskBytes: asked.sizeBytes })
      await tx.volume.create({ data: { id, teamId, projectId, appId, appName, hostId, ...asked } })
      const target = { type: 'volume', id, name: asked.name }
      await record(tx, viewer, { teamId, action: 'volume.create', target, detail: { appId }, after: asked })
    }),
  )
  await begin(platform, { appId, hostId }, id)
  return readVolume(platform, id)
}

/**
 * Another name or path, which the next deployment has, and another size, which its host gives it at once; the app is
 * stopped meanwhile. Throws `invalid` at `sizeBytes` for one that its content has no room in.
 */
export async function updateVolume(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateVolumeInput,
): Promise<Volume> {
  const place = await volumeAccess(platform, viewer, id, 'volume.write')
  const change = validate(updateVolumeSchema, input)
  const { appId } = place
  if (appId === null) throw isLeft()
  const least = await leastSizeNow(platform, id, change.sizeBytes)
  await withFreeName(change.name ?? '', () =>
    platform.db.$transaction(async (tx) => {
      await lockTeam(tx, place.teamId)
      const app = await lockApp(tx, appId)
      const old = await lockVolume(tx, id)
      requireIdle(old)
      const before = settingsOf(old)
      const after = { ...before, ...change }
      if (after.mountPath !== before.mountPath) await requireFreePath(tx, app, after.mountPath, id)
      const more = after.sizeBytes - before.sizeBytes
      if (more < 0 && least !== null && least > after.sizeBytes)
        throw atField(
          'sizeBytes',
          `must be at least ${inWords(least)}: so much its content and file system need`,
        )
      await checkQuota(tx, place.teamId, { diskBytes: more })
      const task: VolumeTask = { kind: 'resize', fromBytes: before.sizeBytes, toBytes: after.sizeBytes }
      await tx.volume.update({
        where: { id },
        data: {
          ...{ name: after.name, mountPath: after.mountPath },
          ...(more === 0
            ? {}
            : { task, problem: null, sizeBytes: Math.max(before.sizeBytes, after.sizeBytes) }),
        },
      })
      const target = { type: 'volume', id, name: after.name }
      await record(tx, viewer, { teamId: place.teamId, action: 'volume.update', target, before, after })
    }),
  )
  await begin(platform, place, id)
  return readVolume(platform, id)
}

/**
 * The next deployment has it no more. It can be undone for so many days; then its host removes it with its snapshots, once
 * nothing that is live mounts it. May be called twice.
 */
export async function deleteVolume(platform: Platform, viewer: Viewer, id: string): Promise<Volume> {
  const place = await volumeAccess(platform, viewer, id, 'volume.delete')
  await platform.db.$transaction(async (tx) => {
    const old = await lockVolume(tx, id)
    if (old.deletedAt !== null) return
    requireIdle(old)
    const now = Date.now()
    const purgeAt = new Date(now + volumeGraceDays * dayMs)
    await tx.volume.update({ where: { id }, data: { deletedAt: new Date(now), purgeAt } })
    const target = { type: 'volume', id, name: old.name }
    const { teamId } = place
    await record(tx, viewer, { teamId, action: 'volume.delete', target, before: settingsOf(old) })
  })
  if (place.appId !== null) await publishApp(platform, place.appId)
  return readVolume(platform, id)
}

/** The app has it again, or another app of the project where that one is gone. Throws `conflict`. */
export async function undeleteVolume(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UndeleteVolumeInput = {},
): Promise<Volume> {
  const place = await volumeAccess(platform, viewer, id, 'volume.write')
  const { appId = place.appId } = validate(undeleteVolumeSchema, input)
  if (appId === null) throw isLeft()
  if (place.appId !== null && appId !== place.appId)
    throw new PlatformError('conflict', 'The volume has an app, which it stays with.')
  const to = await appAccess(platform, viewer, appId, 'volume.write')
  if (to.projectId !== place.projectId || to.hostId !== place.hostId) throw notFound('app')
  await withFreeName('', () =>
    platform.db.$transaction(async (tx) => {
      const app = await lockApp(tx, appId)
      const old = await lockVolume(tx, id)
      if (old.deletedAt === null) return
      if (appSettingsSchema.parse(app.settings).replicas > 1) throw hasReplicas()
      await requireFreePath(tx, app, old.mountPath, id)
      await tx.volume.update({
        where: { id },
        data: { deletedAt: null, purgeAt: null, appId, appName: app.name },
      })
      const target = { type: 'volume', id, name: old.name }
      const { teamId } = place
      await record(tx, viewer, { teamId, action: 'volume.undelete', target, detail: { appId } })
    }),
  )
  await publishApp(platform, appId)
  return readVolume(platform, id)
}

/** Asks its host to look: it finds what is to be done. */
export async function begin(
  platform: Platform,
  { appId, hostId }: { appId: string | null; hostId: string },
  volumeId: string,
): Promise<void> {
  if (appId !== null) await publishApp(platform, appId)
  await enqueue(platform, hostId, 'work-on-volume', { volumeId })
}

/** Where a smaller size is asked for: what its content needs now, if its host answers; else what was in it last. */
async function leastSizeNow(
  platform: Platform,
  id: string,
  asked: number | undefined,
): Promise<number | null> {
  const row = await platform.db.volume.findUnique({ where: { id } })
  if (asked === undefined || row === null || !row.isMade || asked >= Number(row.sizeBytes)) return null
  const said = await askHost(platform, row.hostId, { about: 'volume-least-size', volumeId: id }).catch(
    () => null,
  )
  if (typeof said === 'object' && said !== null && 'leastBytes' in said) return Number(said.leastBytes)
  return row.usedBytes === null ? null : Number(row.usedBytes)
}

const dayMs = 86_400_000

function settingsOf({ name, mountPath, sizeBytes }: VolumeRow) {
  return { name, mountPath, sizeBytes: Number(sizeBytes) }
}

function hasReplicas(): PlatformError {
  return new PlatformError(
    'conflict',
    'The app has more than one replica, and only one container may hold a volume. Scale it to one first.',
  )
}

function isLeft(): PlatformError {
  return new PlatformError(
    'conflict',
    'The app of this volume is gone. Give it to another app of the project.',
  )
}

async function withFreeName(name: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause
    const fields = [{ path: 'name', message: 'is taken' }]
    throw new PlatformError('conflict', `The app has a volume ${name} already, or one that is deleted.`, {
      ...{ fields, cause },
    })
  }
}

function inWords(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
