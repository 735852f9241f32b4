import { getPlatform } from '../../../_server/platform.ts'
import { createApi } from '../_routes/api.ts'
import type { Api } from '../_routes/router.ts'

let opening: Promise<Api> | undefined

async function handle(request: Request): Promise<Response> {
  opening ??= getPlatform().then(createApi)
  const api = await opening.catch((error: unknown) => {
    opening = undefined
    throw error
  })
  return api.fetch(plain(request))
}

/** Next.js hands over a proxy, of which no new Request can be made; Hono makes one where a body has no length. */
function plain(request: Request): Request {
  const { method, headers, body, signal, url } = request
  return new Request(url, { method, headers, signal, body, ...(body === null ? {} : { duplex: 'half' }) })
}

export {
  handle as DELETE,
  handle as GET,
  handle as HEAD,
  handle as OPTIONS,
  handle as PATCH,
  handle as POST,
  handle as PUT,
}
