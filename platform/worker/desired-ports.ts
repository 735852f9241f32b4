import { inProgressStatuses } from '../deployment-cancel.ts'
import type { DeploymentStatus } from '../model/deployment-status.ts'
import { type HostPort, hostPortOf, portName, portsSchema } from '../model/ports.ts'
import { web } from '../model/processes.ts'
import type { Platform } from '../open.ts'
import { wantedState } from './desired-state.ts'
import { servingContainers } from './serving-containers.ts'

export interface DesiredPort extends HostPort {
  appId: string
  sources: string[]
  /** None: nothing of it runs, and the port stays the app's. */
  targets: { container: string; containerPort: number }[]
}

interface WithPorts {
  id: string
  appId: string
  status: DeploymentStatus
  ports: unknown
}

/**
 * Where the ports of a host lead: to the containers of `web` that get requests over HTTP as well, and to those of other
 * processes that run, of what is live or, while traffic moves, of what takes over.
 */
export async function desiredPorts(platform: Platform, hostId: string): Promise<DesiredPort[]> {
  const rows = await platform.db.$queryRaw<WithPorts[]>`
    SELECT deployments.id, deployments."appId", deployments.status::text AS status,
      deployments.snapshot->'settings'->'ports' AS ports
    FROM deployments JOIN apps ON apps.id = deployments."appId"
    WHERE apps."hostId" = ${hostId}
      AND (deployments.id = apps."liveDeploymentId" OR deployments.status::text = ANY(${inProgressStatuses}))
      AND coalesce(deployments.snapshot->'settings'->'ports', '{}') <> '{}'`
  if (rows.length === 0) return []
  const apps = await platform.db.app.findMany({
    where: { id: { in: rows.map(({ appId }) => appId) } },
    orderBy: { id: 'asc' },
    select: {
      ...{ id: true, desiredState: true, liveDeploymentId: true },
      project: { select: { team: { select: { deletedAt: true } } } },
      deployments: {
        where: { status: { in: inProgressStatuses } },
        orderBy: { number: 'desc' },
        select: { id: true, status: true },
      },
      containers: {
        where: { state: 'running', address: { not: null } },
        orderBy: { replica: 'asc' },
        select: { id: true, deploymentId: true, process: true, port: true, outOfTraffic: true },
      },
    },
  })
  return apps.flatMap((app) => {
    const { liveDeploymentId: live, deployments } = app
    const isWanted = wantedState(app.desiredState, app.project.team) === 'running'
    const inStatus = (wanted: DeploymentStatus) => deployments.find(({ status }) => status === wanted)?.id
    const answering = app.containers.filter(({ process, port }) => process === web && port !== null)
    const beside = inStatus('routing') ?? live ?? inStatus('checking')
    const serving = isWanted
      ? [
          ...servingContainers(live, deployments, answering),
          ...app.containers.filter(
            // One that is still to be checked, or is to go, since the app is brought to another size, is out of it.
            ({ process, deploymentId, outOfTraffic }) =>
              process !== web && deploymentId === beside && !outOfTraffic,
          ),
        ]
      : []
    const found = new Map<string, DesiredPort>()
    // What is newest last: its list of who may connect counts.
    const ofApp = rows
      .filter((row) => row.appId === app.id)
      .sort((a, b) => Number(b.id === live) - Number(a.id === live))
    for (const { id, ports } of ofApp)
      for (const [name, { process, containerPort, sources }] of Object.entries(portsSchema.parse(ports))) {
        const targets = serving
          .filter((container) => container.deploymentId === id && container.process === process)
          .map((container) => ({ container: container.id, containerPort }))
        const known = found.get(name)
        if (known !== undefined && targets.length === 0) continue
        found.set(name, {
          ...{ ...hostPortOf(name), appId: app.id, sources },
          targets: [...(known?.targets ?? []), ...targets],
        })
      }
    return [...found.values()].sort((a, b) => (portName(a) < portName(b) ? -1 : 1))
  })
}
