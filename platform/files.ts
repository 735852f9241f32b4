import { type Readable, Transform } from 'node:stream'
import { json } from 'node:stream/consumers'
import { notFound, type ProjectAction, type Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { askFiles, type FileRequest } from './host-files.ts'
import type { AuditAction } from './model/audit-actions.ts'
import {
  containerPlaceSchema,
  type DeletedFiles,
  deletedFilesSchema,
  deleteFileSchema,
  type FileEntry,
  type FileListing,
  fileEntrySchema,
  fileListingSchema,
  listFilesSchema,
  mostFileBytes,
  uploadFileSchema,
} from './model/files.ts'
import type { Platform } from './open.ts'
import { chooseContainer, nameOf } from './terminals.ts'
import { validate } from './validate.ts'
import { volumeAccess } from './volume-view.ts'
import { watchRight } from './watch-right.ts'

/** Whose files: of an app's container, or of a volume. */
export type FilesOf = { appId: string } | { volumeId: string }

/** Who sends nothing for so long is gone. */
const idleMs = 30_000

export interface Download {
  /** Last part of the path; a folder's comes as a tar, and says so. */
  fileName: string
  /** Null for a folder. */
  sizeBytes: number | null
  /** Fails when it can't be read to its end, and when the right to it ends. */
  stream: Readable
}

interface Tree {
  teamId: string
  target: { type: string; id: string; name: string }
  request: Pick<FileRequest, 'hostId' | 'path' | 'person'>
  /** For the audit log. */
  detail: { path: string; containerId?: string }
  rawPath: string
  stillMay: () => Promise<unknown>
}

/** A page of a folder. Throws `not-found`, `conflict`, `unavailable`, `rate-limited`, as all of these do. */
export async function listFiles(
  platform: Platform,
  viewer: Viewer,
  of: FilesOf,
  input: unknown,
): Promise<FileListing> {
  const { limit, cursor, ...place } = validate(listFilesSchema, input)
  const tree = await findTree(platform, viewer, of, place, 'file.list')
  const answer = await askFiles(platform, {
    ...requestOf(tree, 'GET', 'list'),
    query: { path: tree.rawPath, limit: String(limit), cursor },
  })
  return fileListingSchema.parse(await json(answer))
}

/** A file as it is, or a folder as a tar. Throws `too-large`. */
export async function downloadFile(
  platform: Platform,
  viewer: Viewer,
  of: FilesOf,
  input: unknown,
  signal: AbortSignal,
): Promise<Download> {
  const place = validate(containerPlaceSchema, input)
  const tree = await findTree(platform, viewer, of, place, 'file.download')
  const right = watchRight(platform, viewer, tree.stillMay)
  try {
    const answer = await askFiles(
      platform,
      {
        ...requestOf(tree, 'GET', 'content'),
        query: { path: tree.rawPath },
        signal: AbortSignal.any([signal, right.lost]),
      },
      'too-large',
    )
    const isFolder = answer.headers['x-berth-kind'] === 'folder'
    const sizeBytes = isFolder ? null : Number(answer.headers['content-length'] ?? 0)
    try {
      await note(platform, viewer, tree, 'file.download', sizeBytes === null ? {} : { sizeBytes })
    } catch (error) {
      answer.destroy()
      throw error
    }
    answer.once('close', () => void right.end())
    const name = tree.detail.path.split('/').at(-1) || tree.target.name
    return { fileName: isFolder ? `${name}.tar` : name, sizeBytes, stream: answer }
  } catch (error) {
    await right.end()
    throw error
  }
}

/** Whole or not at all. Throws `too-large`, and `bad-request` for what stops coming. */
export async function uploadFile(
  platform: Platform,
  viewer: Viewer,
  of: FilesOf,
  input: unknown,
  { body, sizeBytes, signal }: { body: Readable; sizeBytes: number | null; signal: AbortSignal },
): Promise<FileEntry> {
  const { replace, ...place } = validate(uploadFileSchema, input)
  const tree = await findTree(platform, viewer, of, place, 'file.upload')
  if (sizeBytes !== null && sizeBytes > mostFileBytes) throw tooLarge()
  const right = watchRight(platform, viewer, tree.stillMay)
  const stopped = new AbortController()
  const timer = setTimeout(() => stopped.abort(cutOff()), idleMs)
  let whole = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh()
      whole += chunk.length
      if (whole > mostFileBytes) stopped.abort(tooLarge())
      else done(null, chunk)
    },
  })
  body.on('error', () => stopped.abort(cutOff())).pipe(counted)
  right.lost.addEventListener('abort', () => stopped.abort(mayNoMore()), { once: true })
  try {
    const answer = await askFiles(platform, {
      ...requestOf(tree, 'PUT', 'content'),
      query: { path: tree.rawPath, replace },
      body: counted,
      signal: AbortSignal.any([signal, stopped.signal]),
    })
    const entry = fileEntrySchema.parse(await json(answer))
    await note(platform, viewer, tree, 'file.upload', {
      sizeBytes: entry.sizeBytes,
      replace: replace === 'true',
    })
    return entry
  } finally {
    clearTimeout(timer)
    counted.destroy()
    await right.end()
  }
}

export async function makeFileFolder(
  platform: Platform,
  viewer: Viewer,
  of: FilesOf,
  input: unknown,
): Promise<FileEntry> {
  const tree = await findTree(platform, viewer, of, validate(containerPlaceSchema, input), 'file.upload')
  const answer = await askFiles(platform, {
    ...requestOf(tree, 'POST', 'folder'),
    query: { path: tree.rawPath },
  })
  const entry = fileEntrySchema.parse(await json(answer))
  await note(platform, viewer, tree, 'file.make-folder', {})
  return entry
}

/** A folder that is not empty needs `recursive`, else `conflict`. What is mounted in it is never entered. */
export async function deleteFile(
  platform: Platform,
  viewer: Viewer,
  of: FilesOf,
  input: unknown,
): Promise<DeletedFiles> {
  const { recursive, ...place } = validate(deleteFileSchema, input)
  const tree = await findTree(platform, viewer, of, place, 'file.delete')
  const answer = await askFiles(platform, {
    ...requestOf(tree, 'DELETE', 'node'),
    query: { path: tree.rawPath, recursive },
  })
  const deleted = deletedFilesSchema.parse(await json(answer))
  await note(platform, viewer, tree, 'file.delete', { ...deleted, recursive: recursive === 'true' })
  return deleted
}

interface Place {
  path: string
  rawPath?: string | undefined
  container?: string | undefined
}

async function findTree(
  platform: Platform,
  viewer: Viewer,
  of: FilesOf,
  { path, rawPath, container }: Place,
  action: ProjectAction,
): Promise<Tree> {
  const bytes = rawPath === undefined ? Buffer.from(path) : Buffer.from(rawPath, 'base64url')
  const common = { rawPath: bytes.toString('base64url') }
  const person = nameOf(viewer)
  const shown = { path: bytes.toString().slice(0, 1_000) }
  if ('volumeId' in of) {
    const { volumeId } = of
    const stillMay = () => volumeAccess(platform, viewer, volumeId, action)
    const { teamId, hostId } = await stillMay()
    const volume = await platform.db.volume.findUnique({ where: { id: volumeId } })
    if (volume === null) throw notFound('volume')
    if (!volume.isMade)
      throw new PlatformError('conflict', 'The volume is not made yet: its host does that in a moment.')
    return {
      ...{ ...common, teamId, stillMay, detail: shown },
      target: { type: 'volume', id: volumeId, name: volume.name },
      request: { hostId, path: `volumes/${volumeId}`, person },
    }
  }
  const stillMay = () => appAccess(platform, viewer, of.appId, action)
  const place = await stillMay()
  if (place.desiredState === 'deleted') throw notFound('app')
  const { id, hostId } = await chooseContainer(platform, place, { id: container })
  return {
    ...{ ...common, teamId: place.teamId, stillMay, detail: { ...shown, containerId: id } },
    target: { type: 'app', id: place.appId, name: place.name },
    request: { hostId, path: `containers/${id}`, person },
  }
}

function requestOf({ request }: Tree, method: FileRequest['method'], what: string) {
  return { ...request, method, path: `${request.path}/${what}` }
}

async function note(
  platform: Platform,
  viewer: Viewer,
  { teamId, target, detail }: Tree,
  action: AuditAction,
  more: Record<string, number | boolean>,
): Promise<void> {
  await platform.db.$transaction((tx) =>
    record(tx, viewer, { teamId, action, target, detail: { ...detail, ...more } }),
  )
}

function tooLarge(): PlatformError {
  return new PlatformError('too-large', `A file may have at most ${mostFileBytes / 2 ** 30} GiB.`)
}

function mayNoMore(): PlatformError {
  return new PlatformError('forbidden', 'You may not do this any more.')
}

function cutOff(): PlatformError {
  return new PlatformError('bad-request', 'The file did not arrive as a whole.')
}
