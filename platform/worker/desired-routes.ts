import { certificatesFor, sendsToHttps } from '../certificates/served.ts'
import { inProgressStatuses } from '../deployment-cancel.ts'
import { edgeAccessOf } from '../edge-access.ts'
import type { EdgeAccess } from '../model/edge-access.ts'
import { noPort } from '../model/processes.ts'
import type { Platform } from '../open.ts'
import { wantedState } from './desired-state.ts'
import { servingContainers } from './serving-containers.ts'

export interface DesiredRoute {
  /** `*.example.com` for all names below that have none of their own. */
  hostname: string
  /** Requests below it alone; default: all. The longest one counts. */
  pathPrefix?: string
  /** The app gets the path without the prefix. */
  stripPrefix?: boolean
  /** Origin that every request is sent on to. */
  redirectTo?: string | null
  /** Whether what comes by HTTP is sent on to HTTPS; default: no. */
  toHttps?: boolean
  /** For so long browsers are told to use HTTPS alone; null: they are told nothing. */
  hstsSeconds?: number | null
  appId: string
  /** Other than running, there are no servers and the edge shows a page instead. */
  state: 'running' | 'stopped' | 'deploying' | 'failed'
  servers: { containerId: string; address: string; port: number }[]
  /** Whom the edge lets in; default: everybody. */
  access?: EdgeAccess
}

/**
 * Where the edge of a host sends each name: which containers get traffic is in serving-containers.ts.
 * An app that nothing serves yet is reachable as soon as a container of the deployment being checked has answered
 * (that is when its port is reported).
 */
export async function desiredRoutes(platform: Platform, hostId: string): Promise<DesiredRoute[]> {
  const hidden = await appsWithoutNames(platform, hostId)
  const apps = await platform.db.app.findMany({
    where: { hostId, id: { notIn: hidden } },
    orderBy: { id: 'asc' },
    select: {
      id: true,
      desiredState: true,
      project: { select: { teamId: true, team: { select: { deletedAt: true } } } },
      liveDeploymentId: true,
      edgeAccess: true,
      domains: {
        where: { route: { not: null } },
        orderBy: { route: 'asc' },
        select: {
          ...{ name: true, pathPrefix: true, stripPrefix: true, redirectTo: true },
          ...{ httpsRedirect: true, hstsSeconds: true },
        },
      },
      deployments: {
        where: { status: { in: inProgressStatuses } },
        orderBy: { number: 'desc' },
        select: { id: true, status: true },
      },
      containers: {
        where: { state: 'running', address: { not: null }, port: { not: null } },
        orderBy: { replica: 'asc' },
        select: { id: true, deploymentId: true, address: true, port: true, outOfTraffic: true },
      },
    },
  })
  const certificates =
    platform.config.httpsPort === null
      ? new Map<string, never>()
      : await certificatesFor(
          platform.db,
          apps.flatMap(({ domains, project: { teamId } }) => domains.map(({ name }) => ({ name, teamId }))),
        )
  return apps.flatMap((app) => {
    const wanted = wantedState(app.desiredState, app.project.team) === 'running'
    const answering = app.containers.flatMap(({ address, port, ...container }) =>
      address !== null && port !== null && port !== noPort ? [{ ...container, address, port }] : [],
    )
    const serving = wanted ? servingContainers(app.liveDeploymentId, app.deployments, answering) : []
    const servers = serving.map(({ id, address, port }) => ({ containerId: id, address, port }))
    const state = stateOf(
      wanted,
      servers.length > 0,
      app.deployments.length > 0,
      app.liveDeploymentId !== null,
    )
    return app.domains.map(({ name, httpsRedirect, ...rest }) => ({
      hostname: name,
      ...rest,
      toHttps: sendsToHttps({ httpsRedirect }, certificates.get(name)),
      appId: app.id,
      state,
      servers,
      ...(app.edgeAccess === null ? {} : { access: edgeAccessOf(app.edgeAccess) }),
    }))
  })
}

/** Apps that are not public as they run, or as they will where nothing is live, and that no deployment is to make so. */
async function appsWithoutNames(platform: Platform, hostId: string): Promise<string[]> {
  const rows = await platform.db.$queryRaw<{ id: string }[]>`
    SELECT apps.id FROM apps LEFT JOIN deployments live ON live.id = apps."liveDeploymentId"
    WHERE apps."hostId" = ${hostId}
      AND coalesce(live.snapshot->'settings', apps.settings)->>'isPublic' = 'false'
      AND NOT EXISTS (SELECT 1 FROM deployments coming
        WHERE coming."appId" = apps.id AND coming.status::text = ANY(${inProgressStatuses})
          AND coalesce(coming.snapshot->'settings'->>'isPublic', 'true') = 'true')`
  return rows.map(({ id }) => id)
}

function stateOf(
  wanted: boolean,
  serves: boolean,
  inProgress: boolean,
  hasLive: boolean,
): DesiredRoute['state'] {
  if (!wanted) return 'stopped'
  if (serves) return 'running'
  // A live app without a running container is being restarted: the page reloads until it answers.
  return inProgress || hasLive ? 'deploying' : 'failed'
}
