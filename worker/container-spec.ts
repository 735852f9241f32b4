import type { ContainerSpec, Image } from '../engine/index.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'

/** Names of the labels by which this host's containers are told apart. */
export const labels = { app: 'berth.app', deployment: 'berth.deployment', replica: 'berth.replica' } as const

/** Made from what it is for, so that whoever begins a deployment again finds what was made before. */
export function containerId(deploymentId: string, replica: number): string {
  return `${deploymentId}-${replica}`
}

/** The port that an app is told by PORT: the one that was set, else what the image says, else a usual one. */
export function portFor(work: Pick<DeploymentWork, 'settings' | 'variables'>, image: Image): number {
  const fromVariables = Number(work.variables.PORT)
  if (work.settings.port !== null) return work.settings.port
  if (Number.isInteger(fromVariables) && fromVariables > 0 && fromVariables < 65_536) return fromVariables
  return image.config.exposedPorts[0] ?? 8080
}

/** What runs for one replica of a deployment. */
export function containerSpec(work: DeploymentWork, image: Image, replica: number): ContainerSpec {
  const { app, deployment, settings } = work
  return {
    id: containerId(deployment.id, replica),
    image: image.digest,
    command: settings.command ?? undefined,
    environment: { PORT: String(portFor(work, image)), ...work.variables },
    hostname: `${app.slug.slice(0, 60)}-${replica}`,
    labels: {
      [labels.app]: app.id,
      [labels.deployment]: deployment.id,
      [labels.replica]: String(replica),
    },
    network: work.environmentId,
    aliases: [app.slug],
    limits: settings.limits,
    idRange: work.team.idRange,
    // Whether it works is asked by worker/health, as the app's settings say.
    healthCheck: 'none',
    // A deployment that is being checked fails at the first exit; one that is live goes on.
    restart: 'always',
  }
}
