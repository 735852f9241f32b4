import { publishApp } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { effectiveVariables, sealForDeployment } from './effective-variables.ts'
import { PlatformError } from './errors.ts'
import {
  followedColumns,
  followedFact,
  isSameRepository,
  ownTags,
  type PushedTag,
  pushedSince,
} from './following.ts'
import { appSettingsSchema } from './model/app-settings.ts'
import { withTag } from './model/image-name.ts'
import type { Platform } from './open.ts'
import { queueDeployment } from './queue-deployment.ts'
import { ownRepository } from './registry/own-name.ts'

/**
 * Deploys what was pushed and apps follow. It compares what the repositories have with what each app was last told, so
 * it does not matter who tells of a push, how often, or whether anybody does: worker and web call it whenever they may.
 * One app's failure is written down with it and is not the others'.
 *
 * @param repository such as acme/shop/web; default all.
 */
export async function followPushes(
  platform: Platform,
  options: { repository?: string; signal?: AbortSignal } = {},
): Promise<void> {
  for (const app of await followingApps(platform)) {
    options.signal?.throwIfAborted()
    const repository = ownRepository(platform.config, app.image)
    if (repository === null || (options.repository ?? repository) !== repository) continue
    await followOne(platform, app)
  }
}

export interface Following {
  id: string
  teamId: string
  hostId: string
  image: string
  lookAt: Date | null
}

/** Apps that follow something and are meant to run. */
export async function followingApps(platform: Platform): Promise<Following[]> {
  return platform.db.$queryRaw<Following[]>`
    SELECT a.id, p."teamId", a."hostId", a.settings->>'image' AS image, a."followLookAt" AS "lookAt"
    FROM apps a JOIN projects p ON p.id = a."projectId" JOIN teams t ON t.id = p."teamId"
    WHERE a."desiredState" = 'running' AND a.settings->'follow'->>'by' IS NOT NULL
      AND a."hostId" IS NOT NULL AND p."deletedAt" IS NULL AND t."deletedAt" IS NULL
    ORDER BY a.id`
}

/** @param seen what a registry elsewhere has; default: what Berth's own has. */
export async function followOne(platform: Platform, app: Following, seen?: PushedTag[]): Promise<void> {
  try {
    // Most looks find nothing new: without a lock, that costs two questions.
    if ((await lookForPush(platform, platform.db, app, seen)) !== null)
      await deployPushed(platform, app, seen)
  } catch (error) {
    if (error instanceof NothingNew) return
    if (!(error instanceof PlatformError)) throw error
    await noteFollowProblem(platform, app.id, error.message)
  }
}

/** Shown beside what the app follows. */
export async function noteFollowProblem(
  platform: Platform,
  appId: string,
  problem: string | null,
): Promise<void> {
  const text = problem?.slice(0, 1_000) ?? null
  const { count } = await platform.db.app.updateMany({
    where: {
      id: appId,
      ...(text === null
        ? { followProblem: { not: null } }
        : { OR: [{ followProblem: null }, { followProblem: { not: text } }] }),
    },
    data: { followProblem: text },
  })
  if (count > 0) await publishApp(platform, appId)
}

class NothingNew extends Error {}

type Questions = Parameters<typeof ownTags>[1]

async function lookForPush(
  platform: Platform,
  db: Questions,
  { id, teamId, image: asked }: Following,
  seen: PushedTag[] | undefined,
): Promise<PushedTag | null> {
  const row = await db.app.findUnique({ where: { id } })
  if (row === null || row.desiredState !== 'running') return null
  const { follow, image } = appSettingsSchema.parse(row.settings)
  // What was seen is of the repository that was asked.
  if (follow === null || (seen !== undefined && !isSameRepository(image, asked))) return null
  const tags = seen ?? (await ownTags(platform, db, teamId, image))
  return tags === null ? null : pushedSince(follow, tags, row)
}

async function deployPushed(
  platform: Platform,
  app: Following,
  seen: PushedTag[] | undefined,
): Promise<void> {
  const place = await platform.db.app.findUniqueOrThrow({ where: { id: app.id } })
  const { name, projectId, environmentId, desiredState } = place
  const at = {
    appId: app.id,
    teamId: app.teamId,
    hostId: app.hostId,
    name,
    projectId,
    environmentId,
    desiredState,
  }
  await queueDeployment(platform, { kind: 'system' }, at, async (tx, id) => {
    const row = await lockApp(tx, app.id)
    const pushed = await lookForPush(platform, tx, app, seen)
    const settings = appSettingsSchema.parse(row.settings)
    if (pushed === null || settings.follow === null) throw new NothingNew()
    settings.image = withTag(settings.image, pushed.tag)
    await tx.app.update({ where: { id: app.id }, data: { settings, ...followedColumns(pushed) } })
    const variables = sealForDeployment(platform, id, await effectiveVariables(platform, tx, row))
    return {
      trigger: 'push',
      toNumber: null,
      imageDigest: pushed.digest,
      snapshot: {
        settings,
        variablesVersion: row.variablesVersion,
        variables,
        followed: followedFact(pushed, settings.follow),
      },
    }
  })
}
