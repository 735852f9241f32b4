import { z } from 'zod'

/** Below the home folder: where the worker of a host serves files to the web app. Only root can open it. */
export const filesSocket = 'run/files.sock'

/** Of one file, either way, and of all that is in a folder that is downloaded. */
export const mostFileBytes = 10 * 2 ** 30
/** Of a folder that is downloaded: files, links and folders. */
export const mostPackedEntries = 100_000

export const fileKinds = ['file', 'folder', 'link', 'pipe', 'socket', 'device'] as const
export type FileKind = (typeof fileKinds)[number]

export const fileEntrySchema = z.object({
  /** Bytes that are no UTF-8 are U+FFFD each. */
  name: z.string(),
  /** Where `path` can't say it, because a name is no UTF-8: the bytes of the whole path, base64url. */
  rawPath: z.string().nullable(),
  kind: z.enum(fileKinds),
  sizeBytes: z.number().int(),
  /** Octal, such as 0644. */
  mode: z.string(),
  /** As the container has them. */
  uid: z.number().int(),
  gid: z.number().int(),
  changedAt: z.string(),
  /** What a link says, and what is there; null: nothing. */
  link: z.object({ target: z.string(), leadsTo: z.enum(fileKinds).nullable() }).nullable(),
})
export type FileEntry = z.infer<typeof fileEntrySchema>

export const fileListingSchema = z.object({
  /** As it was understood: without `.` and `..`. */
  path: z.string(),
  rawPath: z.string().nullable(),
  /** Folders first, then by name. */
  data: z.array(fileEntrySchema),
  nextCursor: z.string().nullable(),
  /** There are more names than are looked at: the first hundred thousand that the file system gives. */
  isCut: z.boolean(),
})
export type FileListing = z.infer<typeof fileListingSchema>

export const filePlaceSchema = z.strictObject({
  path: z
    .string()
    .max(4_096, 'must have at most 4096 characters')
    .regex(/^\//, 'must be an absolute path')
    .default('/'),
  /** Instead of `path`, as a listing gave it. */
  rawPath: z
    .string()
    .max(5_500)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url')
    .optional(),
})

/** Of an app; of a volume there is no container. */
export const containerPlaceSchema = filePlaceSchema.extend({
  /** Id; default: the first replica of `web` that runs. */
  container: z.string().max(120).optional(),
})

const flag = z.enum(['true', 'false']).default('false')

const listing = {
  limit: z.coerce.number().int().min(1, 'must be 1–500').max(500, 'must be 1–500').default(200),
  cursor: z.string().max(400).optional(),
}
const uploading = {
  /** A file that is there is replaced. */
  replace: flag,
}
const deleting = {
  /** A folder goes with all that is in it. */
  recursive: flag,
}

export const listFilesSchema = containerPlaceSchema.extend(listing)
export const listVolumeFilesSchema = filePlaceSchema.extend(listing)
export const uploadFileSchema = containerPlaceSchema.extend(uploading)
export const uploadVolumeFileSchema = filePlaceSchema.extend(uploading)
export const deleteFileSchema = containerPlaceSchema.extend(deleting)
export const deleteVolumeFileSchema = filePlaceSchema.extend(deleting)

export const deletedFilesSchema = z.object({
  /** Files, links and folders. */
  removed: z.number().int(),
  /** False: the time was over before all of it was gone. Delete it again. */
  isDone: z.boolean(),
})
export type DeletedFiles = z.infer<typeof deletedFilesSchema>
