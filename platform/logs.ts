import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { PlatformError } from './errors.ts'
import { streams } from './event-log.ts'
import type { LogLine } from './model/events.ts'
import type { PageInput } from './model/inputs.ts'
import type { Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { parsePage, toPage } from './pages.ts'

/** Lines that are kept of what an app's containers wrote, newest first. Throws `bad-request` for a foreign cursor. */
export async function listLogs(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  pageInput?: PageInput,
): Promise<Page<LogLine>> {
  await appAccess(platform, viewer, appId, 'app.read-logs')
  const page = parsePage(pageInput)
  const stream = streams.appLogs(appId)
  const rows = await platform.redis.xrevrange(stream.name, before(page.after), '-', 'COUNT', page.limit + 1)
  return toPage(
    rows,
    page.limit,
    ([id]) => id,
    ([, fields]) => stream.parse(JSON.parse(fields[1] ?? 'null')),
  )
}

function before(after: string | number | null): string {
  if (after === null) return '+'
  if (typeof after === 'string' && /^\d{1,16}-\d{1,16}$/.test(after)) return `(${after}`
  throw new PlatformError('bad-request', 'The cursor is one of another list.')
}
