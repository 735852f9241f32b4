import { isDeepStrictEqual } from 'node:util'
import { notFound, type Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { publishApp } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { readApp } from './app-view.ts'
import { actorOf, record } from './audit.ts'
import { inProgressStatuses } from './deployment-cancel.ts'
import { PlatformError } from './errors.ts'
import { enqueue } from './jobs.ts'
import { appSettingsSchema } from './model/app-settings.ts'
import { newId } from './model/ids.ts'
import type { App } from './model/resources.ts'
import {
  resized,
  type ScaleAppInput,
  type Scaling,
  scaleAppSchema,
  sizeOf,
  sizeOfProcess,
  withSize,
} from './model/scale.ts'
import type { Platform } from './open.ts'
import { checkQuota, growth, lockTeam } from './quotas.ts'
import { pendingScaling, runningSettings } from './running-settings.ts'
import { validate } from './validate.ts'

/**
 * Changes how many replicas of a process of the app's live deployment run, and with how much memory and processor,
 * without a new deployment; deployments after it run so too. Its worker makes it true, or puts it back and says why in
 * the app's `scale.problem`. Whoever asks again before that is done asks for something else instead.
 *
 * Throws `conflict` when nothing is live, a deployment is on its way, what is live has no such process, or the app has a
 * volume and should have more than one replica of `web`; `quota-exceeded`.
 */
export async function scaleApp(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: ScaleAppInput,
): Promise<App> {
  const { teamId, hostId } = await appAccess(platform, viewer, id, 'app.scale')
  const { process, ...given } = validate(scaleAppSchema, input)
  const isPending = await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, teamId)
    const app = await lockApp(tx, id)
    if (app.liveDeploymentId === null)
      throw new PlatformError('conflict', 'The app has never been live. Change its settings, and deploy it.')
    const [underWay] = await tx.deployment.findMany({
      where: { appId: id, status: { in: inProgressStatuses } },
      select: { number: true },
    })
    if (underWay !== undefined)
      throw new PlatformError(
        'conflict',
        `Deployment ${underWay.number} is on its way. Scale the app when it is live, or cancel it first.`,
      )
    const live = await tx.deployment.findUniqueOrThrow({ where: { id: app.liveDeploymentId } })
    const running = runningSettings(live)
    const now = sizeOf(running)
    if (sizeOfProcess(now, process) === null)
      throw new PlatformError(
        'conflict',
        `Deployment ${live.number}, which is live, has no process ${process}. Deploy the app first.`,
      )
    const to = resized(now, process, defined(given))
    if (to.replicas > 1 && (await tx.volume.count({ where: { appId: id, deletedAt: null } })) > 0)
      throw new PlatformError(
        'conflict',
        'The app keeps its data in a volume, which only one container may hold: it can have one replica.',
      )
    const pending = pendingScaling(app.scaling, live.id)
    if (isDeepStrictEqual(to, now)) return pending !== null
    if (app.desiredState === 'running')
      await checkQuota(tx, teamId, await growth(tx, id, withSize(running, to)))
    const { actor, actorName } = await actorOf(tx, viewer)
    const from = pending?.from ?? now
    const scaling: Scaling = {
      ...{ id: newId('appEvent'), deploymentId: live.id, from, to, by: { actor, actorName } },
      problem: null,
    }
    const settings = appSettingsSchema.parse(app.settings)
    await tx.deployment.update({ where: { id: live.id }, data: { size: to } })
    await tx.app.update({
      where: { id },
      data: { scaling, settings: withSize(settings, resized(sizeOf(settings), process, defined(given))) },
    })
    await record(tx, viewer, {
      ...{ teamId, action: 'app.scale', target: { type: 'app', id, name: app.name } },
      ...{ before: now, after: to },
    })
    return true
  })
  await publishApp(platform, id)
  if (isPending) await enqueue(platform, hostId, 'scale-app', { appId: id })
  const app = await readApp(platform, id)
  if (app === null) throw notFound('app')
  return app
}

function defined<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
