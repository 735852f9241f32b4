import 'server-only'
import { headers } from 'next/headers'
import type { Viewer } from '@/platform/access.ts'
import { PlatformError } from '@/platform/errors.ts'
import type { Platform } from '@/platform/open.ts'
import { withRequestOrigin } from '@/platform/request-origin.ts'
import { requestOrigin } from '../_server/client-address.ts'
import { getPlatform } from '../_server/platform.ts'
import { foreignSite, isFromThisSite } from '../_server/same-site.ts'
import { getViewer } from '../_server/session.ts'
import type { ActionResult, Problem } from './result.ts'

/** Asks the platform for the person who is signed in, and turns what it throws into a value. */
export async function run<Data>(
  ask: (platform: Platform, viewer: Viewer) => Promise<Data>,
): Promise<ActionResult<Data>> {
  return answer(async (platform) => {
    const viewer = await getViewer()
    if (viewer === null) throw new PlatformError('unauthenticated', 'Your session has ended. Sign in again.')
    return ask(platform, viewer)
  })
}

/** The same for those who can't be signed in yet. */
export async function answer<Data>(ask: (platform: Platform) => Promise<Data>): Promise<ActionResult<Data>> {
  const platform = await getPlatform()
  try {
    const given = await headers()
    // Next.js looks at this too, yet lets a request through that does not say where it comes from.
    if (!isFromThisSite(given)) throw new PlatformError('forbidden', foreignSite)
    return { ok: true, data: await withRequestOrigin(requestOrigin(given), () => ask(platform)) }
  } catch (error) {
    if (error instanceof PlatformError) return problem(error)
    platform.log.error({ err: error }, 'a server action failed')
    return problem(new PlatformError('internal', 'Something went wrong on our side. Try again in a moment.'))
  }
}

function problem({ code, message, fields, retryAfterSeconds }: PlatformError): Problem {
  return { ok: false, code, message, fields, retryAfterSeconds }
}

/** What a browser sends as an id may be anything, such as an object that a database would take for a filter. */
export function asId(value: string): string {
  if (typeof value === 'string' && value.length <= 64) return value
  throw new PlatformError('bad-request', 'This is no id.')
}
