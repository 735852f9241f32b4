import { checkHealth } from '../../../platform/health.ts'
import { getPlatform } from '../../_server/platform.ts'

/** Asked anew at each request, never answered from the build. */
export const dynamic = 'force-dynamic'

/** 200 once the web server, the database and Redis answer; for the supervisor, the edge and whoever watches. */
export async function GET(): Promise<Response> {
  const health = await checkHealth(await getPlatform())
  const status = health.database && health.redis ? 200 : 503
  return Response.json(health, { status, headers: { 'cache-control': 'no-store' } })
}
