/** What an app follows: which repository, what is there, and what of it is meant. follow-pushes.ts deploys it. */
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { type AppSettings, appSettingsSchema } from './model/app-settings.ts'
import type { Followed } from './model/deployment-snapshot.ts'
import { chooseFollowed, type Follow, mayFollow, type TagSeen } from './model/follow.ts'
import { readImageName } from './model/image-name.ts'
import type { Platform } from './open.ts'
import { ownRepository } from './registry/own-name.ts'
import { splitName } from './registry/scope.ts'

export interface PushedTag extends TagSeen {
  pushedBy: string | null
}

export interface FollowingApp {
  settings: unknown
  followedTag: string | null
  followedDigest: string | null
  followedPushedAt: Date | null
}

export function isSameRepository(a: string, b: string): boolean {
  const [one, other] = [readImageName(a), readImageName(b)]
  return one.registry === other.registry && one.repository === other.repository
}

/** What belongs to an app that has just begun to follow: what is there already has not been pushed since. */
export async function beginToFollow(
  platform: Platform,
  db: Transaction,
  teamId: string,
  { image, follow }: Pick<AppSettings, 'image' | 'follow'>,
) {
  const nothing = {
    followedTag: null,
    followedDigest: null,
    followedPushedAt: null,
    followProblem: null,
    followFailures: 0,
    followLookedAt: null,
  }
  if (follow === null) return { ...nothing, followLookAt: null }
  const tags = await ownTags(platform, db, teamId, image)
  // Nobody has looked yet: whoever does finds out what is there.
  if (tags === null) {
    if (follow.by === 'pattern')
      throw invalid(
        'follow.value',
        "can't be a pattern: a registry elsewhere does not say what was pushed last",
      )
    return { ...nothing, followLookAt: new Date() }
  }
  const found = chooseFollowed(follow, tags)
  return {
    ...(found === null ? { ...nothing, followedDigest: '' } : followedColumns(found)),
    followLookAt: null,
  }
}

export function followedColumns({ tag, digest, pushedAt }: TagSeen) {
  return { followedTag: tag, followedDigest: digest, followedPushedAt: pushedAt, followProblem: null }
}

/**
 * What a deployment that nobody named an image for runs; null: the app's image as it is.
 * @param seen what a registry elsewhere has now; default: what it had when it was looked at last.
 */
export async function followedNow(
  platform: Platform,
  db: Transaction,
  teamId: string,
  app: FollowingApp,
  seen: readonly PushedTag[] | null = null,
): Promise<PushedTag | null> {
  const { image, follow } = appSettingsSchema.parse(app.settings)
  if (follow === null) return null
  const tags = await ownTags(platform, db, teamId, image)
  if (tags !== null) return chooseFollowed(follow, tags)
  const found = seen === null ? null : chooseFollowed(follow, seen)
  if (found !== null) return found
  const { followedTag: tag, followedDigest: digest, followedPushedAt: pushedAt } = app
  return tag === null || !digest ? null : { tag, digest, pushedAt, pushedBy: null }
}

/** What was pushed since and is to be deployed; null: nothing. */
export function pushedSince(follow: Follow, tags: readonly PushedTag[], app: FollowingApp): PushedTag | null {
  const found = chooseFollowed(follow, tags)
  const { followedTag: tag, followedDigest, followedPushedAt: pushedAt } = app
  if (found === null || found.digest === followedDigest) return null
  return mayFollow(follow, found, tag === null ? null : { tag, pushedAt }) ? found : null
}

/** The tags of an image's repository, where that is the team's own; null: it is elsewhere. Throws `invalid` for another team's. */
export async function ownTags(
  platform: Platform,
  db: Transaction,
  teamId: string,
  image: string,
): Promise<PushedTag[] | null> {
  const name = ownRepository(platform.config, image)
  if (name === null) return null
  const parts = splitName(name)
  const team = await db.team.findUniqueOrThrow({ where: { id: teamId }, select: { imageNamespace: true } })
  if (parts?.namespace !== team.imageNamespace)
    throw invalid(
      'follow',
      `can follow repositories of the team (…/${team.imageNamespace}/…) and of registries elsewhere only`,
    )
  const rows = await db.imageTag.findMany({ where: { repository: { teamId, name: parts.repository } } })
  return rows.map(({ name: tag, digest, pushedAt, pushedByName }) => ({
    tag,
    digest,
    pushedAt,
    pushedBy: pushedByName,
  }))
}

export function followedFact({ tag, pushedBy, pushedAt }: PushedTag, { by, value }: Follow): Followed {
  return { tag, by, value, pushedBy, pushedAt: pushedAt?.toISOString() ?? null }
}

function invalid(field: string, message: string): PlatformError {
  const path = `settings.${field}`
  return new PlatformError('invalid', `${path}: ${message}`, { fields: [{ path, message }] })
}
