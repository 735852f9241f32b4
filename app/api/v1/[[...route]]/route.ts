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
  return api.fetch(request)
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
