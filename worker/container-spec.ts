import type { ContainerSpec, Image } from '../engine/index.ts'
import { runContainerId } from '../platform/runs.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import type { RunWork } from '../platform/worker/runs.ts'

/** Names of the labels by which this host's containers are told apart. */
export const labels = {
  app: 'berth.app',
  deployment: 'berth.deployment',
  replica: 'berth.replica',
  /** Of a container that does one thing and ends: `release` or `run`. Those that serve have none. */
  task: 'berth.task',
  /** Of a run, whose id it is. It ends with the run, whatever becomes of its deployment. */
  run: 'berth.run',
} as const

/** Made from what it is for, so that whoever begins a deployment again finds what was made before. */
export function containerId(deploymentId: string, replica: number): string {
  return `${deploymentId}-${replica}`
}

/** Whether it does one thing and ends, instead of serving. */
export function isTask(container: { labels: Readonly<Record<string, string>> }): boolean {
  return container.labels[labels.task] !== undefined
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
    ...usualSpec(work, image, `${app.slug.slice(0, 60)}-${replica}`),
    id: containerId(deployment.id, replica),
    command: settings.command ?? undefined,
    labels: { ...ownLabels(work), [labels.replica]: String(replica) },
    aliases: [app.slug],
    mounts: work.volumes.map(({ id, mountPath }) => ({ kind: 'volume', volume: id, target: mountPath })),
    // A deployment that is being checked fails at the first exit; one that is live goes on.
    restart: 'always',
  }
}

/** What runs before a deployment starts: the same image, variables, limits and network, under no name that others use. */
export function releaseSpec(work: DeploymentWork, image: Image, command: string[]): ContainerSpec {
  return {
    ...usualSpec(work, image, `${work.app.slug.slice(0, 55)}-release`),
    id: `${work.deployment.id}-release`,
    command,
    labels: { ...ownLabels(work), [labels.task]: 'release' },
    restart: 'no',
  }
}

/**
 * What runs once, beside what serves: the image, variables, limits and network of its deployment. It gets no volumes,
 * which one container at a time may have.
 */
export function runSpec({ run, deployment }: RunWork, image: Image): ContainerSpec {
  return {
    ...usualSpec(deployment, image, `${deployment.app.slug.slice(0, 50)}-run-${run.number}`),
    id: runContainerId(run.id),
    command: run.command,
    labels: { ...ownLabels(deployment), [labels.task]: 'run', [labels.run]: run.id },
    restart: 'no',
  }
}

function usualSpec(work: DeploymentWork, image: Image, hostname: string) {
  return {
    image: image.digest,
    environment: { PORT: String(portFor(work, image)), ...work.variables },
    files: work.files.map(({ path, content }) => ({ target: path, content })),
    hostname,
    network: work.environmentId,
    limits: work.settings.limits,
    idRange: work.team.idRange,
    // Whether it works is asked by worker/health, as the app's settings say.
    healthCheck: 'none',
  } satisfies Partial<ContainerSpec>
}

function ownLabels({ app, deployment }: DeploymentWork) {
  return { [labels.app]: app.id, [labels.deployment]: deployment.id }
}
