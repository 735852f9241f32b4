import { notFound, type Viewer } from './access.ts'
import { appAccess, deploymentAccess } from './app-access.ts'
import { publishStatus } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { record } from './audit.ts'
import { callOff } from './deployment-cancel.ts'
import { deploymentColumns, showDeployments } from './deployment-view.ts'
import { effectiveVariables, openForDeployment, sealForDeployment } from './effective-variables.ts'
import { PlatformError } from './errors.ts'
import { beginToFollow, followedColumns, followedFact, followedNow, isSameRepository } from './following.ts'
import { appSettingsSchema } from './model/app-settings.ts'
import { deploymentSnapshotSchema } from './model/deployment-snapshot.ts'
import { canCancel } from './model/deployment-status.ts'
import { withTag } from './model/image-name.ts'
import { type CreateDeploymentInput, createDeploymentSchema, type PageInput } from './model/inputs.ts'
import type { Deployment, Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterNumber, parsePage, toPage } from './pages.ts'
import { queueDeployment } from './queue-deployment.ts'
import { seenElsewhere } from './registries/follow-elsewhere.ts'
import { assertMayPull } from './registry/may-pull.ts'
import { neverLive } from './rollback-plan.ts'
import { settingsToGoBackTo } from './running-settings.ts'
import { announce } from './timeline.ts'
import { validate } from './validate.ts'
import { mountsToGoBackTo } from './volume-mounts.ts'

/**
 * Records a deployment of the app as it is set now and asks the host's worker to carry it out. Deployments of the app
 * that still wait are superseded. An app that was stopped is wanted running again. Throws `forbidden` for an image in a
 * repository of Berth's that the app's team may not pull from.
 */
export async function createDeployment(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: CreateDeploymentInput = {},
): Promise<Deployment> {
  const place = await appAccess(platform, viewer, appId, 'deployment.create')
  const { image, trigger } = validate(createDeploymentSchema, input)
  const seen = image === undefined ? await seenElsewhere(platform, place) : null
  return queueDeployment(platform, viewer, place, async (tx, id) => {
    const app = await lockApp(tx, appId)
    const settings = appSettingsSchema.parse(app.settings)
    const isSeen = seen !== null && isSameRepository(seen.image, settings.image)
    const followed =
      image === undefined
        ? await followedNow(platform, tx, place.teamId, app, isSeen ? seen.tags : null)
        : null
    const wanted = image ?? (followed === null ? settings.image : withTag(settings.image, followed.tag))
    await assertMayPull(tx, platform.config, place.teamId, wanted)
    const isElsewhere = !isSameRepository(wanted, settings.image)
    settings.image = wanted
    if (followed !== null || image !== undefined)
      await tx.app.update({
        where: { id: appId },
        data: {
          settings,
          ...(followed === null ? {} : followedColumns(followed)),
          ...(isElsewhere ? await beginToFollow(platform, tx, place.teamId, settings) : {}),
        },
      })
    const variables = sealForDeployment(platform, id, await effectiveVariables(platform, tx, app))
    return {
      trigger: trigger ?? (viewer.kind === 'user' ? 'manual' : 'api'),
      toNumber: null,
      imageDigest: followed?.digest ?? null,
      snapshot: {
        settings,
        variablesVersion: app.variablesVersion,
        variables,
        followed:
          followed === null || settings.follow === null ? null : followedFact(followed, settings.follow),
      },
    }
  })
}

/**
 * A new deployment of what an earlier one ran: the same image by digest, settings and variables.
 * Throws `conflict` for one that has never been live.
 */
export async function rollbackTo(
  platform: Platform,
  viewer: Viewer,
  deploymentId: string,
): Promise<Deployment> {
  const place = await deploymentAccess(platform, viewer, deploymentId, 'deployment.rollback')
  return queueDeployment(platform, viewer, place, async (tx, id) => {
    const app = await lockApp(tx, place.appId)
    const old = await tx.deployment.findUniqueOrThrow({ where: { id: deploymentId } })
    if (old.liveAt === null || old.imageDigest === null) throw neverLive(old.number)
    const snapshot = deploymentSnapshotSchema.parse(old.snapshot)
    const variables = openForDeployment(platform, deploymentId, snapshot.variables)
    return {
      trigger: 'rollback',
      toNumber: old.number,
      imageDigest: old.imageDigest,
      snapshot: {
        ...snapshot,
        settings: await settingsToGoBackTo(tx, app, old),
        followed: null,
        volumes: await mountsToGoBackTo(tx, app.id, old.number, snapshot),
        variables: sealForDeployment(platform, id, variables),
      },
    }
  })
}

export async function getDeployment(platform: Platform, viewer: Viewer, id: string): Promise<Deployment> {
  await deploymentAccess(platform, viewer, id, 'deployment.read')
  return existing(platform, id)
}

/** Newest first. */
export async function listDeployments(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  pageInput?: PageInput,
): Promise<Page<Deployment>> {
  await appAccess(platform, viewer, appId, 'deployment.read')
  const page = parsePage(pageInput)
  const rows = await platform.db.deployment.findMany({
    where: { appId, number: { lt: afterNumber(page) } },
    include: deploymentColumns,
    orderBy: { number: 'desc' },
    take: page.limit + 1,
  })
  const { data, nextCursor } = toPage(
    rows,
    page.limit,
    (row) => row.number,
    (row) => row,
  )
  return { data: await showDeployments(platform, data), nextCursor }
}

/** A waiting one is canceled at once, one in progress by its worker soon. Throws `conflict` once it is live or over. */
export async function cancelDeployment(platform: Platform, viewer: Viewer, id: string): Promise<Deployment> {
  const { appId, teamId, name } = await deploymentAccess(platform, viewer, id, 'deployment.cancel')
  const { changes, told } = await platform.db.$transaction(async (tx) => {
    await lockApp(tx, appId, { evenDeleted: true })
    const row = await tx.deployment.findUniqueOrThrow({ where: { id } })
    if (!canCancel(row.status)) {
      throw new PlatformError(
        'conflict',
        `Deployment ${row.number} is ${row.status}; it can't be canceled any more.`,
      )
    }
    await record(tx, viewer, {
      teamId,
      action: 'deployment.cancel',
      target: { type: 'deployment', id, name: `${name} #${row.number}` },
    })
    return callOff(tx, viewer, { appId, teamId, deploymentId: id })
  })
  await publishStatus(platform, ...changes)
  await announce(platform, told)
  return existing(platform, id)
}

async function existing(platform: Platform, id: string): Promise<Deployment> {
  const row = await platform.db.deployment.findUnique({ where: { id }, include: deploymentColumns })
  if (row === null) throw notFound('deployment')
  const [shown] = await showDeployments(platform, [row])
  if (shown === undefined) throw notFound('deployment')
  return shown
}
