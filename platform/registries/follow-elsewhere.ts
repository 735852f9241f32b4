import { type Following, followingApps, followOne, noteFollowProblem } from '../follow-pushes.ts'
import { followedColumns, isSameRepository, type PushedTag } from '../following.ts'
import { appSettingsSchema } from '../model/app-settings.ts'
import { chooseFollowed, type Follow } from '../model/follow.ts'
import { readImageName } from '../model/image-name.ts'
import type { Platform } from '../open.ts'
import { ownRepository } from '../registry/own-name.ts'
import { RegistryProblem } from './problem.ts'
import { noteLoginResult, teamLogin } from './pull-login.ts'
import { lookAtTags } from './tags.ts'

/** Whoever looks has so long; another worker looks when it was lost. */
const leaseMs = 120_000
const lookWithinMs = 60_000
/** Somebody waits for this one. */
const glanceWithinMs = 2_000
const longestPauseMs = 6 * 3_600_000
const looksAtOnce = 6

/**
 * Looks into the registries elsewhere whose turn it is, and deploys what is new there to the apps that follow it. Of all
 * workers one looks, and once for all apps of a team with the same image. One registry's failure is written down with
 * the apps that follow it, which are looked at later and later while it lasts.
 */
export async function followElsewhere(
  platform: Platform,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> {
  const groups = new Map<string, Following[]>()
  for (const app of await followingApps(platform)) {
    if (ownRepository(platform.config, app.image) !== null) continue
    const { registry, repository } = readImageName(app.image)
    const key = `${app.teamId} ${registry}/${repository}`
    groups.set(key, [...(groups.get(key) ?? []), app])
  }
  const due = [...groups.values()].filter((apps) => apps.some(isDue))
  for (let at = 0; at < due.length; at += looksAtOnce) {
    signal?.throwIfAborted()
    await Promise.all(due.slice(at, at + looksAtOnce).map((apps) => lookFor(platform, apps, signal)))
  }
}

function isDue({ lookAt }: Following): boolean {
  return lookAt !== null && lookAt <= new Date()
}

async function lookFor(
  platform: Platform,
  apps: Following[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const until = new Date(Date.now() + leaseMs)
  const { count } = await platform.db.app.updateMany({
    where: { id: { in: apps.filter(isDue).map(({ id }) => id) }, followLookAt: { lte: new Date() } },
    data: { followLookAt: until },
  })
  const [first] = apps
  if (count === 0 || first === undefined) return
  const rows = await platform.db.app.findMany({ where: { id: { in: apps.map(({ id }) => id) } } })
  const looked = rows.flatMap((row) => {
    const { follow, image } = appSettingsSchema.parse(row.settings)
    const app = apps.find(({ id }) => id === row.id)
    return follow === null || app === undefined || !isSameRepository(image, app.image)
      ? []
      : [{ app, row, follow }]
  })
  const seen = await look(
    platform,
    first,
    looked.map(({ follow }) => follow),
    signal,
  )
  for (const each of looked) await noteLook(platform, each, seen)
}

interface Looked {
  app: Following
  row: { followLookAt: Date | null; followFailures: number }
  follow: Follow
}

async function noteLook(
  platform: Platform,
  { app, row, follow }: Looked,
  seen: PushedTag[] | RegistryProblem,
): Promise<void> {
  const failures = seen instanceof RegistryProblem ? row.followFailures + 1 : 0
  const pause = pauseMs(follow, failures, seen instanceof RegistryProblem ? seen.retryAfterMs : null)
  const { count: isSame } = await platform.db.app.updateMany({
    // Whoever changed meanwhile what is followed, or looked, wants another look.
    where: { id: app.id, followLookAt: row.followLookAt },
    data: {
      ...{ followLookedAt: new Date(), followFailures: failures },
      followLookAt: new Date(Date.now() + pause),
    },
  })
  if (isSame === 0) return
  if (seen instanceof RegistryProblem) await noteFollowProblem(platform, app.id, seen.message)
  else await takeOver(platform, app, follow, seen)
}

async function look(
  platform: Platform,
  { teamId, image }: Pick<Following, 'teamId' | 'image'>,
  follows: Follow[],
  signal: AbortSignal | undefined,
  withinMs = lookWithinMs,
): Promise<PushedTag[] | RegistryProblem> {
  const limit = AbortSignal.timeout(withinMs)
  const login = await teamLogin(platform, teamId, image)
  try {
    const found = await lookAtTags(
      platform,
      { image, login, signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) },
      follows,
    )
    if (login !== null) await noteLoginResult(platform, login.id, null)
    return found
  } catch (error) {
    signal?.throwIfAborted()
    if (limit.aborted)
      return new RegistryProblem(
        'unavailable',
        `${readImageName(image).registry} did not answer within ${withinMs / 1_000} s.`,
      )
    if (!(error instanceof RegistryProblem)) throw error
    if (error.kind === 'denied' && login !== null) await noteLoginResult(platform, login.id, error.message)
    return error
  }
}

/** What is there when an app begins to follow has not come since; what comes later is deployed. */
async function takeOver(
  platform: Platform,
  app: Following,
  follow: Follow,
  seen: PushedTag[],
): Promise<void> {
  const found = chooseFollowed(follow, seen)
  const { count } = await platform.db.app.updateMany({
    where: { id: app.id, followedDigest: null, followLookAt: { not: null } },
    data: found === null ? { followedDigest: '' } : followedColumns(found),
  })
  await noteFollowProblem(platform, app.id, found === null ? nothingFits(app.image, follow) : null)
  if (count === 0) await followOne(platform, app, seen)
}

export function nothingFits(image: string, { by, value }: Follow): string {
  const { registry, repository } = readImageName(image)
  const what = by === 'tag' ? `no tag ${value}` : `no tag that fits ${value}`
  return `There is ${what} in ${registry}/${repository}.`
}

/** As often as is asked for, and not all at once; after failures less often, and never before the registry allows it. */
function pauseMs({ intervalSeconds }: Follow, failures: number, retryAfterMs: number | null): number {
  const usual = intervalSeconds * 1_000 * (0.9 + Math.random() * 0.2)
  const patient = Math.min(usual * 2 ** failures, Math.max(longestPauseMs, usual))
  return Math.max(patient, retryAfterMs ?? 0)
}

/**
 * For somebody who has just begun to follow: what is there already is learned now and not when a worker's turn comes, so
 * that what is pushed next is new. A registry that does not answer within two seconds is left to a worker.
 */
export async function learnWhatIsThere(
  platform: Platform,
  { appId, teamId, hostId }: { appId: string; teamId: string; hostId: string },
): Promise<void> {
  const row = await platform.db.app.findUnique({ where: { id: appId } })
  if (row === null || row.followLookAt === null || row.followedDigest !== null) return
  const { image, follow } = appSettingsSchema.parse(row.settings)
  if (follow === null) return
  const seen = await look(platform, { teamId, image }, [follow], undefined, glanceWithinMs)
  if (!(seen instanceof RegistryProblem)) {
    const app = { id: appId, teamId, hostId, image, lookAt: row.followLookAt }
    await noteLook(platform, { app, row, follow }, seen)
  } else if (seen.kind !== 'unavailable') await noteFollowProblem(platform, appId, seen.message)
}

export interface SeenElsewhere {
  image: string
  tags: PushedTag[]
}

/**
 * What an app that follows a registry elsewhere would get from it now; null where it does not, or that can't be learned
 * within two seconds: whoever deploys gets what was there when it was looked at last. A registry that is slow is then
 * looked at by a worker, which has more time and deploys what is new.
 */
export async function seenElsewhere(
  platform: Platform,
  { appId, teamId }: { appId: string; teamId: string },
): Promise<SeenElsewhere | null> {
  const row = await platform.db.app.findUnique({ where: { id: appId }, select: { settings: true } })
  const settings = appSettingsSchema.safeParse(row?.settings)
  if (!settings.success || settings.data.follow === null) return null
  const { image, follow } = settings.data
  if (ownRepository(platform.config, image) !== null) return null
  const tags = await look(platform, { teamId, image }, [follow], undefined, glanceWithinMs)
  if (!(tags instanceof RegistryProblem)) return { image, tags }
  if (tags.kind !== 'unavailable') await noteFollowProblem(platform, appId, tags.message)
  else if (tags.retryAfterMs === null)
    await platform.db.app.updateMany({
      where: { id: appId, followLookAt: { not: null } },
      data: { followLookAt: new Date() },
    })
  return null
}
