import type { ContainerSpec, Image } from '../engine/index.ts'
import type { ProcessSettings } from '../platform/model/app-settings.ts'
import { web } from '../platform/model/processes.ts'
import { runContainerId } from '../platform/runs.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import type { RunWork } from '../platform/worker/runs.ts'

/** Names of the labels by which this host's containers are told apart. */
export const labels = {
  app: 'berth.app',
  deployment: 'berth.deployment',
  /** Which of the app's processes; of `web` it may be missing, in containers that are older. */
  process: 'berth.process',
  replica: 'berth.replica',
  /** Of a container that does one thing and ends: `release` or `run`. Those that serve have none. */
  task: 'berth.task',
  /** Of a run, whose id it is. It ends with the run, whatever becomes of its deployment. */
  run: 'berth.run',
} as const

/** One of a deployment's containers that go on running: which of which process. */
export interface Slot {
  process: string
  replica: number
}

/** Made from what it is for, so that whoever begins a deployment again finds what was made before. */
export function containerId(deploymentId: string, { process, replica }: Slot): string {
  return process === web ? `${deploymentId}-${replica}` : `${deploymentId}-${process}-${replica}`
}

/** So many of a process, from the replica `from` on. */
export function slotsOf(process: string, replicas: number, from = 0): Slot[] {
  const count = Math.max(0, replicas - from)
  return Array.from({ length: count }, (_, index) => ({ process, replica: from + index }))
}

/** Which of its deployment's containers it is. */
export function slotOf(container: { labels: Readonly<Record<string, string>> }): Slot {
  const { [labels.process]: process = web, [labels.replica]: replica } = container.labels
  return { process, replica: Number(replica ?? 0) }
}

/** Who wrote what it logs: what does one thing and ends is no process of the app, and is named by what it does. */
export function writerOf(container: { labels: Readonly<Record<string, string>> }): Slot {
  const task = container.labels[labels.task]
  return task === undefined ? slotOf(container) : { process: task, replica: 0 }
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

/** What runs for one replica of a process. Only `web` has the app's name, and its volumes. */
export function containerSpec(work: DeploymentWork, image: Image, slot: Slot): ContainerSpec {
  const { app, deployment, settings } = work
  const { process, replica } = slot
  const own = settings.processes[process]
  const isWeb = process === web || own === undefined
  const name = isWeb ? app.slug : `${app.slug.slice(0, 60 - process.length)}-${process}`
  const usual = usualSpec(work, image, `${name.slice(0, 60)}-${replica}`)
  return {
    ...usual,
    id: containerId(deployment.id, slot),
    ...(isWeb ? { command: settings.command ?? undefined } : programOf(own)),
    environment: { ...usual.environment, BERTH_PROCESS: process },
    limits: isWeb ? settings.limits : own.limits,
    labels: { ...ownLabels(work), [labels.process]: process, [labels.replica]: String(replica) },
    aliases: isWeb ? [app.slug] : [],
    mounts: isWeb
      ? work.volumes.map(({ id, mountPath }) => ({ kind: 'volume', volume: id, target: mountPath }))
      : [],
    // A deployment that is being checked fails at the first exit; one that is live goes on.
    restart: 'always',
  }
}

/** The image's entrypoint stays, unless the process has one of its own. */
function programOf({
  entrypoint,
  command,
}: ProcessSettings): Pick<ContainerSpec, 'entrypoint' | 'arguments'> {
  return { ...(entrypoint === null ? {} : { entrypoint }), arguments: command }
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

/** Of a run with a terminal: its command is run beside this, once the terminal is there. */
const waiting = ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 86400 & wait $!; done']

/**
 * What runs once, beside what serves: the image, variables, limits and network of its deployment. It gets no volumes,
 * which one container at a time may have.
 */
export function runSpec({ run, deployment }: RunWork, image: Image): ContainerSpec {
  return {
    ...usualSpec(deployment, image, `${deployment.app.slug.slice(0, 50)}-run-${run.number}`),
    id: runContainerId(run.id),
    command: run.isAttached ? waiting : run.command,
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
