import { personBehind, type Viewer } from './access.ts'
import { PlatformError } from './errors.ts'
import { type Entry, type FollowOptions, follow, startOf, streams } from './event-log.ts'
import type { AccessChange } from './model/events.ts'
import type { Platform } from './open.ts'
import { isStillValid } from './sessions.ts'

const recheckMs = 30_000

export interface WatchedRight {
  /** Aborts when the caller may no more; its reason is the PlatformError that says why, where there is one. */
  readonly lost: AbortSignal
  end(): Promise<void>
}

/**
 * Asks again whether the caller still may when it is said that rights of his may have changed, and every 30 seconds
 * whatever is said. `check` throws a PlatformError when not.
 */
export function watchRight(platform: Platform, viewer: Viewer, check: () => Promise<unknown>): WatchedRight {
  const lost = new AbortController()
  const look = async () => {
    try {
      if (!(await isStillValid(platform, viewer))) lost.abort()
      else await check()
    } catch (error) {
      if (error instanceof PlatformError) lost.abort(error)
      else platform.log.warn({ err: error }, 'a right could not be checked; it is looked at again')
    }
  }
  const timer = setInterval(look, recheckMs)
  const over = new AbortController()
  const listening = listen(platform, viewer, over.signal, look)
  return {
    lost: lost.signal,
    async end() {
      clearInterval(timer)
      over.abort()
      await listening
    },
  }
}

/** What `open` gives, until the caller may no more. */
export async function* whileAllowed<Event>(
  platform: Platform,
  viewer: Viewer,
  check: () => Promise<unknown>,
  options: FollowOptions,
  open: (options: FollowOptions) => AsyncIterable<Entry<Event>>,
): AsyncGenerator<Entry<Event>, void, undefined> {
  const right = watchRight(platform, viewer, check)
  try {
    yield* open({ ...options, signal: AbortSignal.any([options.signal, right.lost]) })
  } finally {
    await right.end()
  }
}

async function listen(
  platform: Platform,
  viewer: Viewer,
  signal: AbortSignal,
  look: () => Promise<void>,
): Promise<void> {
  try {
    const after = await startOf(platform, streams.access(), '$')
    // What changed between the first check and here would be missed otherwise.
    await look()
    for await (const { event } of follow(platform, streams.access(), { after, signal }))
      if (concerns(event, viewer)) await look()
  } catch (error) {
    platform.log.warn({ err: error }, 'changes of rights can not be followed; a right is looked at in turn')
  }
}

function concerns(change: AccessChange, viewer: Viewer): boolean {
  if (viewer.kind !== 'user' && viewer.kind !== 'token') return false
  // Of a team: which of its members follows what of it is found out by asking.
  if ('teamId' in change) return true
  if ('userId' in change) return change.userId === personBehind(viewer)
  return viewer.kind === 'token' && change.tokenId === viewer.tokenId
}
