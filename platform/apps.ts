import type { z } from 'zod'
import { notFound, requireTeam, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { type AppPlace, appAccess } from './app-access.ts'
import { publishApp, publishStatus } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { appColumns, readApp, showApps } from './app-view.ts'
import { record } from './audit.ts'
import { changeSettings } from './change-settings.ts'
import { contains } from './contains.ts'
import type { Transaction } from './database.ts'
import { callOff } from './deployment-cancel.ts'
import { routeOf } from './domains/claims.ts'
import { PlatformError } from './errors.ts'
import { addFirstVolumes } from './first-volumes.ts'
import { beginToFollow } from './following.ts'
import { hostnameCandidates } from './hostnames.ts'
import { requireOpenHost } from './hosts.ts'
import { enqueue, type JobName } from './jobs.ts'
import { type AppSettings, appSettingsSchema } from './model/app-settings.ts'
import { buildSettingsSchema } from './model/builds.ts'
import { newId } from './model/ids.ts'
import {
  type AppListInput,
  appListSchema,
  type CreateAppInput,
  createAppSchema,
  type UpdateAppInput,
  updateAppSchema,
} from './model/inputs.ts'
import type { App, Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { projectAccess } from './projects.ts'
import { checkQuota, growth, lockTeam, needOf } from './quotas.ts'
import { learnWhatIsThere } from './registries/follow-elsewhere.ts'
import { runningSettings } from './running-settings.ts'
import { withFreeSlug } from './slugs.ts'
import { announce, type Told, tellOfApp } from './timeline.ts'
import { validate } from './validate.ts'
import { requireReach } from './variable-checks.ts'
import { addFirstVariables, maskedVariables, requireNoTwins } from './variables.ts'
import { visibleIn } from './visible.ts'

/** Of a whole team or of one project, oldest first; all of them, or those that have a text in their names. */
export async function listApps(
  platform: Platform,
  viewer: Viewer,
  of: { teamId: string } | { projectId: string },
  input: AppListInput = {},
): Promise<Page<App>> {
  if ('teamId' in of) await requireTeam(platform, viewer, of.teamId, 'app.read')
  const teamId =
    'teamId' in of ? of.teamId : (await projectAccess(platform, viewer, of.projectId, 'app.read')).teamId
  const visible = await visibleIn(platform, viewer, teamId)
  const { search, ...asked } = validate(appListSchema, input)
  const page = parsePage(asked)
  const rows = await platform.db.app.findMany({
    where: {
      AND: [
        visible.apps,
        'teamId' in of ? { project: { teamId } } : { projectId: of.projectId },
        { id: { gt: afterId(page) } },
        search === undefined ? {} : { OR: [{ name: contains(search) }, { slug: contains(search) }] },
      ],
    },
    include: appColumns,
    orderBy: { id: 'asc' },
    take: page.limit + 1,
  })
  const apps = await showApps(platform, rows)
  return toPage(
    apps,
    page.limit,
    (app) => app.id,
    (app) => app,
  )
}

export async function getApp(platform: Platform, viewer: Viewer, id: string): Promise<App> {
  await appAccess(platform, viewer, id, 'app.read')
  return existing(platform, id)
}

/** Records the app with its address, first variables and volumes. Nothing runs until a deployment is made. */
export async function createApp(
  platform: Platform,
  viewer: Viewer,
  projectId: string,
  input: CreateAppInput,
): Promise<App> {
  const project = await projectAccess(platform, viewer, projectId, 'app.create')
  const {
    name,
    slug: wanted,
    environment: environmentSlug,
    settings: given,
    variables,
    volumes,
  } = validate(createAppSchema, input)
  const environment = project.environments.find(({ slug }) => slug === environmentSlug)
  if (environment === undefined) {
    throw new PlatformError('invalid', `The project has no environment ${environmentSlug}.`, {
      fields: [{ path: 'environment', message: 'is not one of the project' }],
    })
  }
  requireNoTwins(variables, 'variables')
  const within = { teamId: project.teamId, projectId, environmentId: environment.id }
  await requireReach(platform, viewer, within, variables, 'variables')
  const hostId = platform.config.hostId
  await requireOpenHost(platform, hostId)
  const { slug: team, imageNamespace } = await platform.db.team.findUniqueOrThrow({
    where: { id: project.teamId },
  })
  const id = newId('app')
  let told: Told[] = []
  let firstVolumes: string[] = []
  await withFreeSlug({
    wanted,
    name,
    kind: 'app',
    taken: (beginning) => slugsIn(platform, environment.id, beginning),
    create: (slug) =>
      platform.db.$transaction(async (tx) => {
        const settings = withImage(given, `${platform.config.registryHost}/${imageNamespace}/${slug}:latest`)
        // What it needs is taken when it is deployed; an app that can't be is better not made.
        await checkQuota(tx, project.teamId, { apps: 1, ...needOf(settings), diskBytes: sumOf(volumes) })
        await tx.app.create({
          data: {
            id,
            projectId,
            environmentId: environment.id,
            hostId,
            slug,
            name,
            settings,
            variablesVersion: variables.length > 0 ? 1 : 0,
            ...(await beginToFollow(platform, tx, project.teamId, settings)),
          },
        })
        const candidates = hostnameCandidates(platform.config, {
          app: slug,
          project: project.slug,
          team,
          appId: id,
        })
        await takeHostname(tx, id, candidates)
        const variablePlace = {
          ...{ owner: { appId: id }, teamId: project.teamId, projectId },
          ...{ environmentId: environment.id, target: { type: 'app' as const, id, name } },
        }
        await addFirstVariables(platform, tx, viewer, variablePlace, slug, variables)
        const volumePlace = { ...within, hostId, appId: id, appName: name }
        firstVolumes = await addFirstVolumes(tx, viewer, volumePlace, volumes)
        await record(tx, viewer, {
          teamId: project.teamId,
          action: 'app.create',
          target: { type: 'app', id, name },
          after: { name, slug, settings, variables: maskedVariables(variables) },
        })
        told = await tellOfApp(tx, {
          appId: id,
          by: viewer,
          event: { kind: 'app.created', image: settings.image },
        })
      }),
  })
  if (given.follow !== null) await learnWhatIsThere(platform, { appId: id, teamId: project.teamId, hostId })
  await announce(platform, told)
  await publishApp(platform, id)
  for (const volumeId of firstVolumes) await enqueue(platform, hostId, 'work-on-volume', { volumeId })
  return existing(platform, id)
}

function sumOf(volumes: readonly { sizeBytes: number }[]): number {
  return volumes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** One that has none yet is built: its image will be in the team's repository of its name. */
function withImage(given: z.output<typeof createAppSchema>['settings'], own: string): AppSettings {
  const settings = { ...given, ports: {} }
  if (given.image !== undefined) return { ...settings, image: given.image }
  return { ...settings, image: own, build: given.build ?? buildSettingsSchema.parse({}) }
}

async function slugsIn(platform: Platform, environmentId: string, beginning: string): Promise<string[]> {
  const rows = await platform.db.app.findMany({
    where: { environmentId, slug: { startsWith: beginning } },
    select: { slug: true },
  })
  return rows.map(({ slug }) => slug)
}

async function takeHostname(tx: Transaction, appId: string, candidates: string[]): Promise<void> {
  for (const name of candidates) {
    const route = routeOf(name, '/')
    const domain = { id: newId('domain'), appId, name, generated: true, verifiedAt: new Date(), route }
    // A violation would end the transaction; skipping doesn't.
    const { count } = await tx.domain.createMany({ data: [domain], skipDuplicates: true })
    if (count === 1) return
  }
  throw new PlatformError('conflict', 'No free address was found for the app; choose another name.')
}

/** Changes what the next deployment runs; what runs now goes on as it is. */
export async function updateApp(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateAppInput,
): Promise<App> {
  const place = await appAccess(platform, viewer, id, 'app.update')
  const { name, settings: change = {} } = validate(updateAppSchema, input)
  return changeSettings(platform, viewer, place, {
    name,
    next: (current) =>
      validate(appSettingsSchema, {
        ...current,
        ...defined(change),
        limits: { ...current.limits, ...defined(change.limits ?? {}) },
        healthCheck: { ...current.healthCheck, ...defined(change.healthCheck ?? {}) },
        release: { ...current.release, ...defined(change.release ?? {}) },
      }),
  })
}

/** Its containers end; its address answers that it is stopped. Deployments in progress are called off. */
export async function stopApp(platform: Platform, viewer: Viewer, id: string): Promise<App> {
  const place = await appAccess(platform, viewer, id, 'app.stop')
  return want(platform, viewer, place, 'stopped', 'stop-app')
}

/** Runs its live deployment again. Throws `conflict` when it has never been live. */
export async function startApp(platform: Platform, viewer: Viewer, id: string): Promise<App> {
  const place = await appAccess(platform, viewer, id, 'app.start')
  return want(platform, viewer, place, 'running', 'start-app')
}

/** Its status is `deleting` until its host has removed everything of it; then it is gone. May be called twice. */
export async function deleteApp(platform: Platform, viewer: Viewer, id: string): Promise<App> {
  const place = await appAccess(platform, viewer, id, 'app.delete')
  return want(platform, viewer, place, 'deleted', 'delete-app')
}

const verbs = { 'stop-app': 'app.stop', 'start-app': 'app.start', 'delete-app': 'app.delete' } as const

/** Nobody reads the timeline of an app that is gone. */
const newsOf = { 'stop-app': 'app.stopped', 'start-app': 'app.started', 'delete-app': null } as const

async function want(
  platform: Platform,
  viewer: Viewer,
  place: AppPlace,
  desiredState: 'running' | 'stopped' | 'deleted',
  job: Extract<JobName, keyof typeof verbs>,
): Promise<App> {
  const { appId: id, teamId, hostId } = place
  const { changes, told } = await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, teamId)
    const app = await lockApp(tx, id, { evenDeleted: desiredState === 'deleted' })
    if (desiredState === 'running' && app.liveDeploymentId === null) {
      throw new PlatformError(
        'conflict',
        'The app has never been live, so there is nothing to start. Deploy it.',
      )
    }
    if (app.desiredState === desiredState) return { changes: [], told: [] }
    if (desiredState === 'running' && app.liveDeploymentId !== null) {
      const live = await tx.deployment.findUniqueOrThrow({ where: { id: app.liveDeploymentId } })
      await checkQuota(tx, teamId, await growth(tx, id, runningSettings(live)))
    }
    await tx.app.update({ where: { id }, data: { desiredState } })
    await record(tx, viewer, {
      ...{ teamId, action: verbs[job], target: { type: 'app', id, name: app.name } },
      ...{ before: { desiredState: app.desiredState }, after: { desiredState } },
    })
    const news = newsOf[job]
    const told = news === null ? [] : await tellOfApp(tx, { appId: id, by: viewer, event: { kind: news } })
    if (desiredState === 'running') return { changes: [], told }
    const calledOff = await callOff(tx, viewer, { appId: id, teamId })
    return { ...calledOff, told: [...calledOff.told, ...told] }
  })
  await publishStatus(platform, ...changes)
  await announce(platform, told)
  // Whoever has it open, such as in a terminal, has it no more.
  if (desiredState === 'deleted') await publishAccess(platform, { teamId })
  await publishApp(platform, id)
  await enqueue(platform, hostId, job, { appId: id })
  return existing(platform, id)
}

async function existing(platform: Platform, id: string): Promise<App> {
  const app = await readApp(platform, id)
  if (app === null) throw notFound('app')
  return app
}

/** Without the fields that were not given, which would otherwise cover what is there. */
function defined<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<Fields>
}
