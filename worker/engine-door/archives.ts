import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { type Context, Hono } from 'hono'
import { EngineError } from '../../engine/index.ts'
import { importRequest, saveRequest } from '../../platform/model/engine-door.ts'
import type { Host } from '../host.ts'
import { read, readQuery, reported, stream } from './answers.ts'
import { basic, imageRow } from './images.ts'

/** Images as archives, in and out. Bodies are plain bytes. */
export function archiveRoutes(host: Host): Hono {
  const { images } = host.engine
  const routes = new Hono()
  // It changes nothing, but it may hold a password, which no address should.
  routes.post('/save', async (c) => {
    const { images: names, format, credentials } = await read(c, saveRequest)
    const archive = await images.save(names, {
      format,
      ...(credentials === undefined ? {} : { credentials: basic(credentials) }),
    })
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
  routes.post('/import', (c) => {
    const wanted = readQuery(c, importRequest)
    return stream((signal) =>
      reported(async () => imageRow(await images.import(bodyOf(c), { ...wanted, signal }))),
    )
  })
  return routes
}

function bodyOf(c: Context): Readable {
  const { body } = c.req.raw
  if (body === null) throw new EngineError('invalid', 'The request holds no archive.')
  return Readable.fromWeb(body as WebStream)
}
