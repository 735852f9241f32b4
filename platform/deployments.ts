import { notFound, type Viewer } from './access.ts'
import { type AppPlace, appAccess, deploymentAccess } from './app-access.ts'
import { publishStatus, type StatusChange } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { callOff } from './deployment-cancel.ts'
import { askedKey, tellOfStatus } from './deployment-events.ts'
import { deploymentColumns, showDeployment } from './deployment-view.ts'
import { PlatformError } from './errors.ts'
import { enqueue } from './jobs.ts'
import { appSettingsSchema } from './model/app-settings.ts'
import { type DeploymentSnapshot, deploymentSnapshotSchema } from './model/deployment-snapshot.ts'
import { canCancel } from './model/deployment-status.ts'
import { newId } from './model/ids.ts'
import { type CreateDeploymentInput, createDeploymentSchema, type PageInput } from './model/inputs.ts'
import type { Deployment, Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterNumber, parsePage, toPage } from './pages.ts'
import { checkQuota, growth, lockTeam } from './quotas.ts'
import { announce, tellOfApp } from './timeline.ts'
import { validate } from './validate.ts'
import { effectiveVariables, openForDeployment, sealForDeployment } from './variables.ts'

type Trigger = Deployment['trigger']

/**
 * Records a deployment of the app as it is set now and asks the host's worker to carry it out. Deployments of the app
 * that still wait are superseded. An app that was stopped is wanted running again.
 */
export async function createDeployment(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: CreateDeploymentInput = {},
): Promise<Deployment> {
  const place = await appAccess(platform, viewer, appId, 'deployment.create')
  const { image, trigger } = validate(createDeploymentSchema, input)
  return queue(platform, viewer, place, async (tx, id) => {
    const app = await lockApp(tx, appId)
    const settings = appSettingsSchema.parse(app.settings)
    if (image !== undefined && image !== settings.image) {
      settings.image = image
      await tx.app.update({ where: { id: appId }, data: { settings } })
    }
    const variables = sealForDeployment(platform, id, await effectiveVariables(platform, tx, app))
    return {
      trigger: trigger ?? (viewer.kind === 'user' ? 'manual' : 'api'),
      toNumber: null,
      imageDigest: null,
      snapshot: { settings, variablesVersion: app.variablesVersion, variables },
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
  return queue(platform, viewer, place, async (tx, id) => {
    await lockApp(tx, place.appId)
    const old = await tx.deployment.findUniqueOrThrow({ where: { id: deploymentId } })
    if (old.liveAt === null || old.imageDigest === null) {
      throw new PlatformError(
        'conflict',
        `Deployment ${old.number} was never live, so there is nothing to go back to.`,
      )
    }
    const snapshot = deploymentSnapshotSchema.parse(old.snapshot)
    const variables = openForDeployment(platform, deploymentId, snapshot.variables)
    return {
      trigger: 'rollback',
      toNumber: old.number,
      imageDigest: old.imageDigest,
      snapshot: { ...snapshot, variables: sealForDeployment(platform, id, variables) },
    }
  })
}

interface Plan {
  trigger: Trigger
  /** Number of the deployment that a rollback goes back to. */
  toNumber: number | null
  imageDigest: string | null
  snapshot: DeploymentSnapshot
}

/** `plan` must lock the app's row: numbers are given out under that lock. Throws `quota-exceeded`. */
async function queue(
  platform: Platform,
  viewer: Viewer,
  place: AppPlace,
  plan: (tx: Transaction, id: string) => Promise<Plan>,
): Promise<Deployment> {
  const { appId, teamId, hostId } = place
  const { row, changes, told } = await platform.db.$transaction(async (tx) => {
    const id = newId('deployment')
    await lockTeam(tx, teamId)
    const { trigger, toNumber, imageDigest, snapshot } = await plan(tx, id)
    await checkQuota(tx, teamId, await growth(tx, appId, snapshot.settings))
    const { _max } = await tx.deployment.aggregate({ where: { appId }, _max: { number: true } })
    const superseded = await tx.deployment.updateManyAndReturn({
      where: { appId, status: 'queued' },
      data: { status: 'superseded', finishedAt: new Date() },
      select: { id: true, number: true },
    })
    const deployment = await tx.deployment.create({
      data: {
        id,
        appId,
        number: (_max.number ?? 0) + 1,
        trigger,
        createdById: viewer.kind === 'user' || viewer.kind === 'token' ? viewer.userId : null,
        imageRef: snapshot.settings.image,
        imageDigest,
        snapshot,
      },
      include: deploymentColumns,
    })
    await tx.app.update({ where: { id: appId }, data: { desiredState: 'running' } })
    await record(tx, viewer, {
      teamId,
      action: trigger === 'rollback' ? 'deployment.rollback' : 'deployment.create',
      target: { type: 'deployment', id, name: `${place.name} #${deployment.number}` },
      detail: { appId, image: deployment.imageRef },
    })
    const asked = {
      deploymentId: id,
      number: deployment.number,
      image: deployment.imageRef,
      trigger,
      toNumber,
    }
    const told = await tellOfApp(tx, {
      ...{ appId, by: viewer, key: askedKey(id) },
      event: { kind: 'deployment.asked', ...asked },
    })
    const changes: StatusChange[] = [
      ...superseded.map((old) => ({ ...change(old), status: 'superseded' as const })),
      { ...change(deployment), status: 'queued' },
    ]
    for (const skipped of changes) told.push(...(await tellOfStatus(tx, skipped, viewer)))
    return { row: deployment, changes, told }
  })
  await publishStatus(platform, ...changes)
  await announce(platform, told)
  await enqueue(platform, hostId, 'deploy', { deploymentId: row.id })
  return showDeployment(row)

  function change(deployment: { id: string; number: number }): Omit<StatusChange, 'status'> {
    return { teamId, appId, deploymentId: deployment.id, number: deployment.number, failure: null }
  }
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
  return toPage(rows, page.limit, (row) => row.number, showDeployment)
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
  return showDeployment(row)
}
