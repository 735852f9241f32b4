import { isUniqueViolation } from './database.ts'
import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'
import { checkQuota } from './quotas.ts'

/** A builder that died gives its places back by itself, so late. */
export const buildPlaceSeconds = 60

/**
 * Takes one of the team's places for builds at once, for a minute: renew it while the build runs, and give it back.
 * False: all are taken, so the build waits in its queue. May be asked again for the same build.
 */
export async function takeBuildPlace(platform: Platform, teamId: string, buildId: string): Promise<boolean> {
  if (await renewBuildPlace(platform, buildId)) return true
  try {
    await platform.db.$transaction(async (tx) => {
      await checkQuota(tx, teamId, { builds: 1 })
      await tx.buildPlace.deleteMany({ where: { teamId, expiresAt: { lte: new Date() } } })
      await tx.buildPlace.create({ data: { id: buildId, teamId, expiresAt: leaseEnd() } })
    })
    return true
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'quota-exceeded') return false
    // Asked twice at once for the same build: the other call has it.
    if (isUniqueViolation(error)) return true
    throw error
  }
}

/** Every 20 seconds or so. False: the place ran out, as its builder was away for too long. */
export async function renewBuildPlace(platform: Platform, buildId: string): Promise<boolean> {
  const { count } = await platform.db.buildPlace.updateMany({
    where: { id: buildId, expiresAt: { gt: new Date() } },
    data: { expiresAt: leaseEnd() },
  })
  return count > 0
}

/** May be called twice. */
export async function giveBuildPlaceBack(platform: Platform, buildId: string): Promise<void> {
  await platform.db.buildPlace.deleteMany({ where: { id: buildId } })
}

function leaseEnd(): Date {
  return new Date(Date.now() + buildPlaceSeconds * 1_000)
}
