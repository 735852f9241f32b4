import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { createRoute, type z } from '@hono/zod-openapi'
import {
  type Download,
  deleteFile,
  downloadFile,
  type FilesOf,
  listFiles,
  makeFileFolder,
  uploadFile,
} from '../../../../platform/files.ts'
import {
  containerPlaceSchema,
  deletedFilesSchema,
  deleteFileSchema,
  deleteVolumeFileSchema,
  fileEntrySchema,
  fileListingSchema,
  filePlaceSchema,
  listFilesSchema,
  listVolumeFilesSchema,
  mostFileBytes,
  mostPackedEntries,
  uploadFileSchema,
  uploadVolumeFileSchema,
} from '../../../../platform/model/files.ts'
import { type Api, type ApiContext, asked, created, idParam, json, ok } from './router.ts'
import { binary } from './schemas.ts'

const tags = ['Files']
const FileEntry = fileEntrySchema.meta({ id: 'FileEntry' })
const FileListing = fileListingSchema.meta({ id: 'FileListing' })
const DeletedFiles = deletedFilesSchema.meta({ id: 'DeletedFiles' })

interface Kind {
  base: '/apps/{id}/files' | '/volumes/{id}/files'
  /** In summaries. */
  where: string
  of: (id: string) => FilesOf
  place: typeof containerPlaceSchema | typeof filePlaceSchema
  list: typeof listFilesSchema | typeof listVolumeFilesSchema
  upload: typeof uploadFileSchema | typeof uploadVolumeFileSchema
  remove: typeof deleteFileSchema | typeof deleteVolumeFileSchema
}

const kinds: Kind[] = [
  {
    ...{ base: '/apps/{id}/files', where: 'a running container', of: (appId) => ({ appId }) },
    ...{ place: containerPlaceSchema, list: listFilesSchema },
    ...{ upload: uploadFileSchema, remove: deleteFileSchema },
  },
  {
    ...{ base: '/volumes/{id}/files', where: 'a volume', of: (volumeId) => ({ volumeId }) },
    ...{ place: filePlaceSchema, list: listVolumeFilesSchema },
    ...{ upload: uploadVolumeFileSchema, remove: deleteVolumeFileSchema },
  },
]

const gibibytes = mostFileBytes / 2 ** 30

/** Those that take a large body: they come before what limits and reads the others' bodies. */
export function addFileUploadRoutes(api: Api): void {
  for (const { base, where, of, upload } of kinds)
    api.openapi(
      createRoute({
        ...{ method: 'put', path: `${base}/content`, tags, summary: `Upload a file into ${where}` },
        description: `The body is the file, at most ${gibibytes} GiB. It is there whole or not at all; one that is there already is replaced with \`replace=true\`, and hands on its owner and mode.`,
        request: {
          params: idParam,
          query: upload,
          body: { required: true, content: { 'application/octet-stream': { schema: binary } } },
        },
        responses: ok(FileEntry),
      }),
      async (c) => c.json(await takeIn(c, of(c.req.valid('param').id), c.req.valid('query')), 200),
    )
}

export function addFileRoutes(api: Api): void {
  for (const { base, where, of, place, list, remove } of kinds) {
    api.openapi(
      createRoute({
        ...{ method: 'get', path: base, tags, summary: `List a folder of ${where}` },
        request: { params: idParam, query: list },
        responses: ok(FileListing),
      }),
      async (c) =>
        c.json(await listFiles(...asked(c), of(c.req.valid('param').id), c.req.valid('query')), 200),
    )
    api.openapi(
      createRoute({
        ...{ method: 'get', path: `${base}/content`, tags, summary: `Download from ${where}` },
        description: `A file as it is, or a folder as a tar: at most ${gibibytes} GiB and ${mostPackedEntries.toLocaleString('en')} files. Where it can’t be read to its end, the connection is broken off.`,
        request: { params: idParam, query: place },
        responses: {
          ...ok(binary),
          200: {
            description: 'The file, or the tar',
            content: {
              'application/octet-stream': { schema: binary },
              'application/x-tar': { schema: binary },
            },
          },
        },
      }),
      async (c) => {
        const { signal } = c.req.raw
        const { id } = c.req.valid('param')
        return sent(await downloadFile(...asked(c), of(id), c.req.valid('query'), signal)) as never
      },
    )
    api.openapi(
      createRoute({
        ...{ method: 'post', path: `${base}/folders`, tags, summary: `Make a folder in ${where}` },
        request: { params: idParam, body: json(place) },
        responses: created(FileEntry),
      }),
      async (c) => {
        const { id } = c.req.valid('param')
        return c.json(await makeFileFolder(...asked(c), of(id), c.req.valid('json')), 201)
      },
    )
    api.openapi(
      createRoute({
        ...{ method: 'delete', path: base, tags, summary: `Delete from ${where}` },
        description:
          'A folder that is not empty goes with all that is in it with `recursive=true`; nothing that is mounted in it is touched. Where `isDone` is false, the time was over before all of it was gone.',
        request: { params: idParam, query: remove },
        responses: ok(DeletedFiles),
      }),
      async (c) =>
        c.json(await deleteFile(...asked(c), of(c.req.valid('param').id), c.req.valid('query')), 200),
    )
  }
}

async function takeIn(
  c: ApiContext,
  of: FilesOf,
  query: z.output<Kind['upload']>,
): Promise<z.output<typeof FileEntry>> {
  const { body, signal } = c.req.raw
  const length = c.req.header('content-length')
  return uploadFile(...asked(c), of, query, {
    body: body === null ? Readable.from([]) : Readable.fromWeb(body as WebStream),
    sizeBytes: length === undefined ? null : Number(length),
    signal,
  })
}

/** Whatever is in it, no browser shows it as a page of this origin. */
function sent({ fileName, sizeBytes, stream }: Download): Response {
  return new Response(Readable.toWeb(stream) as ReadableStream, {
    headers: {
      ...(sizeBytes === null
        ? { 'content-type': 'application/x-tar' }
        : { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) }),
      'content-disposition': attachment(fileName),
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    },
  })
}

/** Any name, for old browsers without what is not ASCII. RFC 6266, RFC 8187. */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const whole = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`
}
