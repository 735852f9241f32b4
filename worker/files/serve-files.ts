/**
 * Files of containers and volumes, to the web app alone, which asks who may: HTTP on a Unix socket. Paths are bytes, as
 * base64url. What is under way ends with the request.
 */
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, posix } from 'node:path'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { EngineError, type FileTree } from '../../engine/index.ts'
import { filesSocket, mostFileBytes, mostPackedEntries } from '../../platform/model/files.ts'
import { refuse } from '../engine-door/answers.ts'
import type { Host } from '../host.ts'
import { listenOnSocket } from '../listen-on-socket.ts'
import { createTerminalPlaces } from '../terminal/places.ts'
import { placeOf, showEntry, showListing } from './show-entry.ts'

/** At once. */
const most = { person: 8, app: 16, all: 64 }
/** Below the limit of the API, which then says that there is more. */
const removeWithinMs = 10_000
const takeRestForMs = 2_000

export interface FileServer {
  /** Nobody comes in any more, and what is under way is cut off. */
  close(): Promise<void>
}

export async function serveFiles(host: Pick<Host, 'engine' | 'platform' | 'log'>): Promise<FileServer> {
  const path = join(host.platform.config.home, filesSocket)
  const server = createServer(getRequestListener(fileRoutes(host).fetch))
  // An upload takes as long as something comes: whoever sends it is watched by the web app.
  server.requestTimeout = 0
  await listenOnSocket(server, path)
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      await rm(path, { force: true })
    },
  }
}

function fileRoutes({ engine, log }: Pick<Host, 'engine' | 'log'>): Hono {
  const places = createTerminalPlaces(most)
  const routes = new Hono()
  routes.onError((error) => {
    if (!(error instanceof EngineError) || error.kind === 'internal')
      log.warn({ err: error }, 'files could not be worked on')
    return refuse(error)
  })
  routes.get('/:tree/:id/list', (c) =>
    inPlace(c, async (files) => {
      const { limit, cursor } = c.req.query()
      const after = cursor === undefined ? {} : { after: placeOf(cursor) }
      const page = await files.list(pathOf(c), { limit: Number(limit), ...after })
      return c.json(showListing(cleanOf(pathOf(c)), page))
    }),
  )
  routes.get('/:tree/:id/content', (c) =>
    inPlace(c, async (files, leaveAfter) => {
      const { signal } = c.req.raw
      const path = pathOf(c)
      const { kind } = await files.look(path)
      if (kind === 'folder') {
        const limits = { maxBytes: mostFileBytes, maxEntries: mostPackedEntries }
        const tar = await files.pack(path, { ...limits, signal })
        return answer(tar, { 'x-berth-kind': kind }, leaveAfter)
      }
      const { stream, sizeBytes } = await files.read(path, { maxBytes: mostFileBytes, signal })
      return answer(stream, { 'x-berth-kind': kind, 'content-length': String(sizeBytes) }, leaveAfter)
    }),
  )
  routes.put('/:tree/:id/content', (c) =>
    inPlace(c, async (files) => {
      const { body, signal } = c.req.raw
      const sent = body as WebStream<Uint8Array> | null
      const replace = c.req.query('replace') === 'true'
      const path = pathOf(c)
      try {
        const content = Readable.from(sent === null ? [] : sent.values({ preventCancel: true }))
        const entry = await files.write(path, content, { maxBytes: mostFileBytes, replace, signal })
        return c.json(showEntry(folderOf(path), entry))
      } catch (error) {
        if (sent !== null) await takeRest(sent)
        throw error
      }
    }),
  )
  routes.post('/:tree/:id/folder', (c) =>
    inPlace(c, async (files) => {
      const path = pathOf(c)
      return c.json(showEntry(folderOf(path), await files.makeFolder(path)))
    }),
  )
  routes.delete('/:tree/:id/node', (c) =>
    inPlace(c, async (files) => {
      const recursive = c.req.query('recursive') === 'true'
      return c.json(await files.remove(pathOf(c), { recursive, withinMs: removeWithinMs }))
    }),
  )
  return routes

  async function inPlace(
    c: Context,
    work: (files: FileTree, leaveAfter: (stream: Readable) => void) => Promise<Response>,
  ): Promise<Response> {
    const { tree, id = '' } = c.req.param() as { tree: string; id?: string }
    const leave = places.take({ person: c.req.header('x-berth-person') ?? '', appId: id })
    if (leave === null)
      throw new EngineError('rate-limited', 'Too many files are on their way at once. Wait for one to end.', {
        retryAfterMs: 5_000,
      })
    let isLent = false
    try {
      const files = tree === 'volumes' ? engine.volumes.files(id) : engine.containers.files(id)
      return await work(files, (stream) => {
        isLent = true
        finished(stream, { writable: false }).then(leave, leave)
      })
    } finally {
      if (!isLent) leave()
    }
  }
}

/** Whoever is cut off while he sends does not hear why: what is on its way is taken, for a moment. */
async function takeRest(sent: WebStream<Uint8Array>): Promise<void> {
  const enough = AbortSignal.timeout(takeRestForMs)
  // Whoever read of it lets go of it a moment after the failure.
  while (sent.locked && !enough.aborted) await sleep(1)
  const nothing = new WritableStream<Uint8Array>()
  await sent.pipeTo(nothing, { signal: enough }).catch(() => undefined)
}

function answer(
  stream: Readable,
  headers: Record<string, string>,
  leaveAfter: (stream: Readable) => void,
): Response {
  leaveAfter(stream)
  return new Response(Readable.toWeb(stream) as ReadableStream, {
    headers: { 'content-type': 'application/octet-stream', ...headers },
  })
}

const pathOf = (c: Context) => Buffer.from(c.req.query('path') ?? '', 'base64url')
/** Latin-1 keeps every byte as it is. */
const cleanOf = (path: Buffer) => Buffer.from(posix.resolve(path.toString('latin1')), 'latin1')
const folderOf = (path: Buffer) =>
  Buffer.from(posix.dirname(posix.resolve(path.toString('latin1'))), 'latin1')
