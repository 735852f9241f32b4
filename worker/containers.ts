import { type Container, type Image, isEngineError } from '../engine/index.ts'
import { web } from '../platform/model/processes.ts'
import { recordContainer, reportContainer } from '../platform/worker/containers.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import { containerSpec, labels, type Slot } from './container-spec.ts'
import { ensureVolume } from './ensure-volume.ts'
import type { Host } from './host.ts'

/**
 * One replica, recorded but not running; what an earlier try made is taken over as it is, running or not, if nothing
 * happened to it. It gets no traffic before its port is reported, and one that is not of `web` never.
 */
export async function makeReplica(
  host: Host,
  work: DeploymentWork,
  image: Image,
  slot: Slot,
  signal: AbortSignal,
  {
    outOfTraffic = slot.process === web &&
      work.live !== null &&
      work.live.deploymentId !== work.deployment.id,
  }: { outOfTraffic?: boolean } = {},
): Promise<Container> {
  const { platform, engine } = host
  const spec = containerSpec(work, image, slot)
  const present = await find(host, spec.id)
  for (const { id, sizeBytes } of slot.process === web ? work.volumes : []) {
    await ensureVolume(host, { id, sizeBytes, idRange: work.team.idRange })
  }
  const isSound = present !== null && present.status !== 'exited' && present.restarts === 0
  if (present !== null && !isSound) {
    await host.logs.finish(spec.id)
    await engine.containers.remove(spec.id, { force: true })
  }
  const made = present !== null && isSound ? present : await engine.containers.create(spec, { signal })
  // One that was taken over may have traffic already.
  if (!isSound || !work.containers.some(({ id }) => id === spec.id))
    await recordContainer(platform, {
      id: spec.id,
      deploymentId: work.deployment.id,
      appId: work.app.id,
      hostId: host.id,
      ...slot,
      outOfTraffic,
      address: made.address,
    })
  host.logs.follow(made)
  return made
}

export async function runReplica(host: Host, { id }: Container, signal: AbortSignal): Promise<Container> {
  host.ending.delete(id)
  const running = await host.engine.containers.start(id, { signal })
  await reportContainer(host.platform, id, runReport(running))
  return running
}

/** Null when the engine does not know it. */
export async function find(host: Host, id: string): Promise<Container | null> {
  return host.engine.containers.inspect(id).catch((error) => {
    if (isEngineError(error, 'not-found')) return null
    throw error
  })
}

/** Containers of an app, of one deployment of it if that is given; runs, which end by themselves, only if asked for. */
export async function containersOf(
  host: Host,
  of: { appId: string; deploymentId?: string; withRuns?: boolean },
): Promise<Container[]> {
  const found = await host.engine.containers.list({
    labels: {
      [labels.app]: of.appId,
      ...(of.deploymentId === undefined ? {} : { [labels.deployment]: of.deploymentId }),
    },
  })
  return of.withRuns === true ? found : found.filter(({ labels: own }) => own[labels.run] === undefined)
}

/**
 * Stopped with its grace (0: at once) and removed; said so to the platform. May be called twice. With the signal the
 * wait for its end is over, and it stays: it was told to end all the same.
 */
export async function removeContainer(
  host: Host,
  id: string,
  graceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const { engine, platform } = host
  host.ending.add(id)
  try {
    const ended = await engine.containers.stop(id, { graceMs, signal })
    await reportContainer(platform, id, exitReport(ended))
    await host.logs.finish(id)
    await engine.containers.remove(id, { force: true })
  } catch (error) {
    if (!isEngineError(error, 'not-found')) throw error
  }
  await reportContainer(platform, id, { state: 'removed', port: null })
  // What the engine tells of its end has been heard by now, or is soon.
  setTimeout(() => host.ending.delete(id), endsWithinMs).unref()
}

const endsWithinMs = 60_000

/** What does not go now is no reason to fail: reconcile tries again. */
export async function removeAll(
  host: Host,
  ids: string[],
  graceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const results = await Promise.allSettled(ids.map((id) => removeContainer(host, id, graceMs, signal)))
  signal?.throwIfAborted()
  for (const result of results)
    if (result.status === 'rejected') host.log.warn({ err: result.reason }, 'a container is not gone yet')
}

/** What the platform is told of one that runs. */
export function runReport({ address, restarts, startedAt }: Container) {
  return {
    state: 'running',
    address,
    restarts,
    startedAt,
    finishedAt: null,
    exitCode: null,
    oomKilled: false,
  } as const
}

/** What the platform is told of one that does not run. Without a port it gets no traffic. */
export function exitReport(container: Container) {
  const { exitCode, oomKilled, restarts, finishedAt } = container
  return { state: 'exited', port: null, exitCode, oomKilled, restarts, finishedAt } as const
}

/** The last lines that it wrote, oldest first; none when they can't be read. */
export async function lastLines(host: Host, id: string, count: number): Promise<string[]> {
  const lines: string[] = []
  try {
    for await (const { text } of host.engine.containers.logs(id, { tail: count })) lines.push(text)
  } catch (error) {
    host.log.warn({ err: error, container: id }, 'the log of a container could not be read')
  }
  return lines
}
