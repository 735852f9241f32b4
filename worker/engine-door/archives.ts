import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { type Context, Hono } from 'hono'
import { EngineError } from '../../engine/index.ts'
import type { Host } from '../host.ts'
import { reported, stream } from './answers.ts'
import { imageRow, named } from './images.ts'

/** Images as archives, in and out. Bodies are plain bytes. */
export function archiveRoutes(host: Host): Hono {
  const { images } = host.engine
  const routes = new Hono()
  routes.get('/save', async (c) => {
    const names = c.req.queries('name') ?? []
    const format = c.req.query('format') ?? 'docker'
    if (format !== 'docker' && format !== 'oci')
      throw new EngineError('invalid', 'The format of an archive is docker or oci.')
    const archive = await images.save(names.length === 0 ? [named(undefined)] : names, { format })
    const headers = { 'content-type': 'application/x-tar' }
    return new Response(Readable.toWeb(archive) as ReadableStream, { headers })
  })
  routes.post('/load', (c) =>
    stream((signal) =>
      reported(async (onProgress) => {
        const loaded = await images.load(bodyOf(c), { onProgress, signal })
        return loaded.map(imageRow)
      }),
    ),
  )
  routes.post('/import', (c) =>
    stream((signal) =>
      reported(async () => {
        const reference = c.req.query('reference')
        const options = { signal, ...(reference === undefined ? {} : { reference }) }
        return imageRow(await images.import(bodyOf(c), options))
      }),
    ),
  )
  return routes
}

function bodyOf(c: Context): Readable {
  const { body } = c.req.raw
  if (body === null) throw new EngineError('invalid', 'The request holds no archive.')
  return Readable.fromWeb(body as WebStream)
}
