import { addressesOf, publicNames } from './domains/addresses.ts'
import type { Prisma } from './generated/prisma/client.ts'
import { type AppSettings, appSettingsSchema } from './model/app-settings.ts'
import { type AppStatus, appStatus } from './model/app-status.ts'
import type { DeploymentStatus } from './model/deployment-status.ts'
import type { App, Container } from './model/resources.ts'
import { scalingSchema, sizeOf } from './model/scale.ts'
import type { Platform } from './open.ts'
import { runningSettings } from './running-settings.ts'

/** What is read of an app to show it. */
export const appColumns = {
  project: { select: { teamId: true } },
  liveDeployment: { select: { id: true, snapshot: true, size: true } },
  _count: { select: { volumes: { where: { deletedAt: null } } } },
  domains: publicNames,
  containers: {
    where: { state: { not: 'removed' } },
    orderBy: [{ createdAt: 'asc' }, { process: 'asc' }, { replica: 'asc' }],
  },
} as const satisfies Prisma.AppInclude

export type AppRow = Prisma.AppGetPayload<{ include: typeof appColumns }>

interface LatestRow {
  id: string
  appId: string
  number: number
  status: DeploymentStatus
  createdAt: Date
}

/** Shows many apps with three questions in all, however long their histories are. */
export async function showApps(platform: Platform, rows: AppRow[]): Promise<App[]> {
  if (rows.length === 0) return []
  const latest = await latestDeployments(
    platform,
    rows.map(({ id }) => id),
  )
  const addressOf = await addressesOf(
    platform,
    rows.flatMap(({ domains, project: { teamId } }) => domains.map(({ name }) => ({ name, teamId }))),
  )
  return rows.map((row) => {
    // Of a list of a hundred apps, to read settings is the greatest part of the work.
    const settings = appSettingsSchema.parse(row.settings)
    const running = row.liveDeployment === null ? null : runningSettings(row.liveDeployment)
    return {
      ...showApp(row, settings, running, latest.get(row.id) ?? null),
      // As what is live has it; where nothing is, as the next deployment will.
      urls: (running ?? settings).isPublic ? row.domains.map(addressOf) : [],
    }
  })
}

function showApp(
  row: AppRow,
  settings: AppSettings,
  running: AppSettings | null,
  latest: LatestRow | null,
): Omit<App, 'urls'> {
  const live = row.liveDeploymentId
  return {
    id: row.id,
    teamId: row.project.teamId,
    projectId: row.projectId,
    environmentId: row.environmentId,
    slug: row.slug,
    name: row.name,
    status: appStatus({
      desiredState: row.desiredState,
      latestDeployment: latest?.status ?? null,
      hasLive: live !== null,
      runningContainers: row.containers.filter((c) => c.deploymentId === live && c.state === 'running')
        .length,
      wantedContainers: running === null ? 0 : wantedContainers(running),
    }),
    desiredState: row.desiredState,
    settings,
    followed: settings.follow === null ? null : showFollowed(row),
    liveDeploymentId: live,
    scale: running === null ? null : showScale(row, running),
    latestDeployment:
      latest === null
        ? null
        : {
            id: latest.id,
            number: latest.number,
            status: latest.status,
            createdAt: latest.createdAt.toISOString(),
          },
    containers: row.containers.map(showContainer),
    stopsFirst: row._count.volumes > 0,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

function wantedContainers({ replicas, processes }: AppSettings): number {
  return Object.values(processes).reduce((before, each) => before + each.replicas, replicas)
}

function showScale({ liveDeploymentId, scaling }: AppRow, running: AppSettings): App['scale'] {
  const last = scalingSchema.nullable().parse(scaling)
  const own = last?.deploymentId === liveDeploymentId ? last : null
  return {
    ...sizeOf(running),
    isPending: own !== null && own.problem === null,
    problem: own?.problem ?? null,
  }
}

function showFollowed(row: AppRow): App['followed'] {
  const { followedTag, followedDigest, followProblem, followLookAt, followLookedAt } = row
  return {
    tag: followedTag,
    digest: followedDigest || null,
    problem: followProblem,
    lookedAt: followLookedAt?.toISOString() ?? null,
    nextLookAt: followLookAt?.toISOString() ?? null,
  }
}

function showContainer(row: AppRow['containers'][number]): Container {
  return {
    id: row.id,
    deploymentId: row.deploymentId,
    process: row.process,
    replica: row.replica,
    state: row.state,
    exitCode: row.exitCode,
    oomKilled: row.oomKilled,
    restarts: row.restarts,
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}

async function latestDeployments(platform: Platform, appIds: string[]): Promise<Map<string, LatestRow>> {
  // One look into the index (appId, number) for each app; a nested `take: 1` would read whole histories.
  const rows = await platform.db.$queryRaw<LatestRow[]>`
    SELECT latest.* FROM unnest(${appIds}::text[]) AS wanted(id)
    CROSS JOIN LATERAL (
      SELECT id, "appId", number, status::text AS status, "createdAt" FROM deployments
      WHERE "appId" = wanted.id ORDER BY number DESC LIMIT 1
    ) AS latest`
  return new Map(rows.map((row) => [row.appId, row]))
}

/** One app as it stands, without asking who wants to know; null when it is gone. */
export async function readApp(platform: Platform, appId: string): Promise<App | null> {
  const row = await platform.db.app.findUnique({ where: { id: appId }, include: appColumns })
  if (row === null) return null
  return (await showApps(platform, [row]))[0] ?? null
}

/** An app's status as one word; null when it is gone. */
export async function readAppStatus(platform: Platform, appId: string): Promise<AppStatus | null> {
  return (await readApp(platform, appId))?.status ?? null
}
