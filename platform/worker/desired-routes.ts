import { certificatesFor, sendsToHttps } from '../certificates/served.ts'
import { inProgressStatuses } from '../deployment-cancel.ts'
import { edgeAccessOf } from '../edge-access.ts'
import type { EdgeAccess } from '../model/edge-access.ts'
import type { Platform } from '../open.ts'
import { wantedState } from './desired-state.ts'

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
 * Where the edge of a host sends each name. Traffic goes to the live deployment; while a deployment's status is
 * `routing`, its containers take over from those of the live one, batch by batch (Container.outOfTraffic). A deployment
 * that fails then gives it all back to those that are left.
 * An app that nothing serves yet is reachable as soon as a container of the deployment being checked has answered
 * (that is when its port is reported).
 */
export async function desiredRoutes(platform: Platform, hostId: string): Promise<DesiredRoute[]> {
  const apps = await platform.db.app.findMany({
    where: { hostId },
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
    const inStatus = (wanted: string) => app.deployments.find(({ status }) => status === wanted)?.id
    const serversOf = (serving: (string | null | undefined)[], evenOutOfTraffic: boolean) =>
      app.containers.flatMap(({ id, deploymentId, address, port, outOfTraffic }) =>
        wanted &&
        serving.includes(deploymentId) &&
        (evenOutOfTraffic || !outOfTraffic) &&
        address !== null &&
        port !== null
          ? [{ containerId: id, address, port }]
          : [],
      )
    const { liveDeploymentId: live } = app
    const routing = inStatus('routing')
    const candidates = [
      routing === undefined ? [] : serversOf([routing, live], false),
      serversOf([live], false),
      serversOf([live], true),
      serversOf([routing ?? inStatus('checking')], true),
    ]
    const servers = candidates.find((list) => list.length > 0) ?? []
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
