import { cookies, headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { cache } from 'react'
import type { Viewer } from '../../platform/access.ts'
import { getPlatform } from './platform.ts'
import { safeNext } from './safe-next.ts'
import { cookieName, viewerFromCookie } from './session-cookie.ts'

/** Who is signed in, in server components and actions; asked once for each request. */
export const getViewer = cache(async (): Promise<Viewer | null> => {
  // Before the platform: it tells Next.js, while building, that this can't be rendered ahead.
  const jar = await cookies()
  const platform = await getPlatform()
  return viewerFromCookie(platform, jar.get(cookieName(platform.config, 'session'))?.value)
})

/**
 * Leads to the sign-in page where nobody is signed in, and back afterwards: to `next`, or to the page that was asked
 * for where the proxy says which (x-berth-path).
 */
export async function requireViewer(next?: string): Promise<Viewer> {
  const viewer = await getViewer()
  if (viewer !== null) return viewer
  const back = safeNext(next ?? (await headers()).get('x-berth-path'))
  redirect(back === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(back)}`)
}
