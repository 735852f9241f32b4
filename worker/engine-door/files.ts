import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { type Context, Hono } from 'hono'
import tar from 'tar-stream'
import { EngineError } from '../../engine/index.ts'
import type { ChangeRow, PathRow } from '../../platform/model/engine-door.ts'
import type { Host } from '../host.ts'

/** Files of containers: what changed, and tars out and in. */
export function fileRoutes(host: Host): Hono {
  const { containers } = host.engine
  const routes = new Hono()
  routes.get('/:id/changes', async (c) => {
    const changes = await containers.diff(c.req.param('id'))
    return c.json({ data: changes satisfies ChangeRow[] })
  })
  routes.get('/:id/path', async (c) => c.json({ data: await lookAt(c) }))
  routes.get('/:id/archive', async (c) => {
    await lookAt(c)
    const archive = containers.copyOut(c.req.param('id'), pathOf(c), { signal: c.req.raw.signal })
    return new Response(Readable.toWeb(archive) as ReadableStream, {
      headers: { 'content-type': 'application/x-tar' },
    })
  })
  routes.put('/:id/archive', async (c) => {
    const { body, signal } = c.req.raw
    if (body === null) throw new EngineError('invalid', 'The request holds no archive.')
    await containers.copyIn(c.req.param('id'), pathOf(c), Readable.fromWeb(body as WebStream), { signal })
    return c.json({ data: null })
  })
  return routes

  /** Throws what a copy from there would. */
  async function lookAt(c: Context): Promise<PathRow> {
    const archive = containers.copyOut(c.req.param('id') ?? '', pathOf(c))
    const extract = tar.extract()
    archive.on('error', (error) => extract.destroy(error))
    archive.pipe(extract)
    try {
      for await (const { header } of extract) {
        const kind = header.type === 'directory' ? 'folder' : header.type === 'symlink' ? 'link' : 'file'
        return { kind, name: header.name }
      }
      throw new EngineError('invalid', 'It is neither a file nor a folder nor a link.')
    } finally {
      archive.destroy()
    }
  }
}

function pathOf(c: Context): string {
  const path = c.req.query('path')
  if (path === undefined) throw new EngineError('invalid', 'The request names no path.')
  return path
}
