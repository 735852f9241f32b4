import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import type { Platform } from './open.ts'
import { currentRequestOrigin, type RequestOrigin } from './request-origin.ts'

/** At once, everywhere: event streams that the session holds open end too. May be called twice. */
export async function endSession(
  platform: Platform,
  sessionId: string,
  origin: RequestOrigin = currentRequestOrigin(),
): Promise<void> {
  const userId = await platform.db.$transaction(async (tx) => {
    const where = { id: sessionId, revokedAt: null }
    const [ended] = await tx.session.updateManyAndReturn({ where, data: { revokedAt: new Date() } })
    if (ended === undefined) return null
    await record(
      tx,
      { kind: 'user', userId: ended.userId, sessionId },
      {
        ...{ teamId: null, action: 'session.end', target: { type: 'session', id: sessionId, name: '' } },
        from: origin,
      },
    )
    return ended.userId
  })
  if (userId === null) return
  // The session has ended whether or not this is heard: who signs out must not be told that it failed.
  await publishAccess(platform, { userId }).catch((err: unknown) =>
    platform.log.warn({ err }, 'streams of a session that ended are looked at in turn'),
  )
}
