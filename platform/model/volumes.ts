import { z } from 'zod'
import { mountPathSchema, slugSchema } from './names.ts'

/** So long the deletion of a volume can be undone. Then its host removes it. */
export const volumeGraceDays = 7
export const maxVolumes = 10
export const maxVolumeSnapshots = 20
/** A file system needs some of it for itself. */
export const leastVolumeBytes = 16 * 2 ** 20
export const mostVolumeBytes = 16 * 2 ** 40

const sizeBytesSchema = z
  .number()
  .int()
  .min(leastVolumeBytes, 'must be at least 16 MiB')
  .max(mostVolumeBytes, 'must be at most 16 TiB')

export const createVolumeSchema = z.strictObject({
  name: slugSchema,
  /** Where `web` finds it. */
  mountPath: mountPathSchema,
  sizeBytes: sizeBytesSchema,
})

/** Only what is given changes. Another path is taken by the next deployment, another size at once. */
export const updateVolumeSchema = z
  .strictObject({ name: slugSchema, mountPath: mountPathSchema, sizeBytes: sizeBytesSchema })
  .partial()

export const undeleteVolumeSchema = z.strictObject({
  /** Of one whose app is gone: an app of the same project that gets it. */
  appId: z.string().max(64).optional(),
})

export const createVolumeSnapshotSchema = z.strictObject({
  note: z.string().trim().max(200, 'must be at most 200 characters').default(''),
})

export const volumeTaskSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('restore'), snapshotId: z.string(), keepAs: z.string() }),
  z.object({ kind: z.literal('resize'), fromBytes: z.number().int(), toBytes: z.number().int() }),
])

const time = z.iso.datetime()

export const volumeSnapshotSchema = z.object({
  id: z.string(),
  volumeId: z.string(),
  /** `before-restore`: what a restore took the place of. */
  kind: z.enum(['asked', 'before-restore']),
  note: z.string(),
  status: z.enum(['waiting', 'ready', 'failed', 'removing']),
  /** Why it failed. */
  message: z.string().nullable(),
  /** What it takes on disk; null until it is made. */
  allocatedBytes: z.number().int().nullable(),
  /** The name of whoever asked for it, as it was then. */
  by: z.string(),
  createdAt: time,
})

export const volumeSchema = z.object({
  id: z.string(),
  /** Null: the app is gone. */
  appId: z.string().nullable(),
  appName: z.string(),
  name: z.string(),
  mountPath: z.string(),
  sizeBytes: z.number().int(),
  /** As it was measured last; null: not yet. */
  usedBytes: z.number().int().nullable(),
  measuredAt: time.nullable(),
  /** Its host made room for it. */
  isMade: z.boolean(),
  /** What is being done with it. */
  task: z.enum(['restore', 'resize']).nullable(),
  /** Why the last thing could not be done. */
  problem: z.string().nullable(),
  deletedAt: time.nullable(),
  /** Then it is removed, if nothing that is live mounts it any more. */
  purgeAt: time.nullable(),
  /** Newest first. */
  snapshots: z.array(volumeSnapshotSchema),
  createdAt: time,
})

export type CreateVolumeInput = z.input<typeof createVolumeSchema>
export type UpdateVolumeInput = z.input<typeof updateVolumeSchema>
export type UndeleteVolumeInput = z.input<typeof undeleteVolumeSchema>
export type CreateVolumeSnapshotInput = z.input<typeof createVolumeSnapshotSchema>
export type VolumeTask = z.infer<typeof volumeTaskSchema>
export type Volume = z.infer<typeof volumeSchema>
export type VolumeSnapshot = z.infer<typeof volumeSnapshotSchema>
