import { setTimeout as sleep } from 'node:timers/promises'
import type { Container } from '../engine/index.ts'
import type { RecoveryCause } from '../platform/model/app-event-kinds.ts'
import { web } from '../platform/model/processes.ts'
import { emitAppEvent } from '../platform/timeline.ts'
import { reportContainer } from '../platform/worker/containers.ts'
import { setDeploymentStatus } from '../platform/worker/deployment-status.ts'
import type { RecordedContainer } from '../platform/worker/deployments.ts'
import { type DesiredApp, desiredApp, desiredState } from '../platform/worker/desired-state.ts'
import { heartbeat } from '../platform/worker/hosts.ts'
import { watchQueue } from '../platform/worker/queue-watch.ts'
import { activeRuns } from '../platform/worker/runs.ts'
import { dueVolumes } from '../platform/worker/volumes.ts'
import { createBackground } from './background.ts'
import { isTask, labels, slotOf } from './container-spec.ts'
import { exitReport, removeContainer, runReport } from './containers.ts'
import { createCrashWatch } from './crashes.ts'
import { createHealthWatch } from './health/watch.ts'
import type { Host } from './host.ts'
import { appKey, createSlots, withWholeApp } from './locks.ts'
import { usualGraceMs } from './remove-app.ts'
import type { JobRunner } from './run-job.ts'
import { lies, mendServing, untilReachable } from './serving.ts'

/**
 * Compares what should be on this host with what the engine has, and sets going what mends the difference: lost jobs,
 * containers that vanished or that nobody wants, reports that were missed, routes. Everything else only hurries.
 */
export interface Reconciler {
  /** One comparison. What takes long goes on after it returns. */
  once(): Promise<void>
  /** Tells every app that serves what was mended for all of them. */
  tellAll(cause: RecoveryCause): Promise<void>
  /** Every few seconds, and when a container changed, until the signal. */
  run(signal: AbortSignal): Promise<void>
  /** Waits until nothing that it set going is under way. */
  settled(): Promise<void>
}

const everyMs = 5_000
/** A deployment that was begun so long ago, by a worker that is gone, is not what anybody waits for any more. */
const takeUpWithinMs = 2 * 3_600_000

export function createReconciler(host: Host, jobs: JobRunner, stopping: AbortSignal): Reconciler {
  const { platform, engine, edge, log } = host
  const background = createBackground(log)
  const queue = watchQueue(platform, host.id)
  const crashes = createCrashWatch(host)
  const health = createHealthWatch(host, stopping)
  // After a start every app is looked at, which may be a thousand.
  const mendSlots = createSlots(8)
  let isFirst = true
  let wake = Promise.withResolvers<void>()

  async function once(): Promise<void> {
    await heartbeat(platform, host.id)
    const queueLost = await queue.wasLost()
    const apps = await desiredState(platform, host.id)
    const runs = await activeRuns(platform, host.id)
    const actual = new Map((await engine.containers.list()).map((container) => [container.id, container]))
    for (const container of actual.values()) host.logs.follow(container)
    const byId = new Map(apps.map((app) => [app.appId, app]))
    for (const app of apps) {
      for (const recorded of app.containers) await report(app, recorded, actual.get(recorded.id))
      push(app, actual)
      if (queueLost && app.inProgress.length > 0)
        await emitAppEvent(platform, app.appId, {
          kind: 'recovery.mended',
          cause: 'queue-lost',
          ...wholeApp,
        })
    }
    for (const container of actual.values()) {
      const appId = container.labels[labels.app]
      const runId = container.labels[labels.run]
      if (runId !== undefined) {
        if (!runs.has(runId)) sweepRun(container.id, runId)
      } else if (appId !== undefined && !isWanted(container, byId.get(appId))) sweep(container.id, appId)
    }
    for (const volumeId of await dueVolumes(platform, host.id))
      background.start(`volume ${volumeId}`, () => jobs.run('work-on-volume', { volumeId }))
    for (const runId of runs) background.start(`run ${runId}`, () => jobs.run('run-once', { runId }))
    await edge.sync()
    health.watch(apps.flatMap(servingOf))
    isFirst = false
  }

  /** Only differences are reported: the platform tells everyone who watches. */
  async function report(
    app: DesiredApp,
    recorded: RecordedContainer,
    found: Container | undefined,
  ): Promise<void> {
    if (found === undefined) {
      if (!host.locks.isHeld(appKey(app.appId)))
        await reportContainer(platform, recorded.id, { state: 'removed', port: null })
    } else if (found.status === 'running') {
      const isNew = recorded.state !== 'running' || recorded.restarts !== found.restarts
      // It began again: until it answers, it gets no traffic.
      if (isNew && app.liveDeploymentId === recorded.deploymentId)
        await reportContainer(platform, recorded.id, { ...runReport(found), port: null })
    } else if (found.status === 'exited' && recorded.state !== 'exited') {
      log.warn({ container: found.id, exitCode: found.exitCode }, `a container of ${app.slug} ended`)
      await reportContainer(platform, recorded.id, exitReport(found))
    }
  }

  function push(app: DesiredApp, actual: ReadonlyMap<string, Container>): void {
    const { appId, desiredState: wanted, liveDeploymentId } = app
    for (const deployment of app.inProgress) {
      if (
        isFirst &&
        deployment.status !== 'queued' &&
        Date.now() - deployment.createdAt.getTime() > takeUpWithinMs
      )
        background.start(`interrupted ${deployment.id}`, () => interrupt(deployment.id))
      else {
        if (isFirst && deployment.status !== 'queued')
          background.start(`resumed ${deployment.id}`, () =>
            emitAppEvent(platform, appId, {
              kind: 'recovery.mended',
              cause: 'worker-restarted',
              ...wholeApp,
            }),
          )
        background.start(`deploy ${deployment.id}`, () => jobs.run('deploy', { deploymentId: deployment.id }))
      }
    }
    if (wanted === 'deleted') background.start(`delete ${appId}`, () => jobs.run('delete-app', { appId }))
    if (wanted === 'stopped' && app.containers.length > 0)
      background.start(`stop ${appId}`, () => jobs.run('stop-app', { appId }))
    if (wanted !== 'running' || liveDeploymentId === null) return
    const recorded = app.containers.filter(({ deploymentId }) => deploymentId === liveDeploymentId)
    const found = recorded.flatMap(({ id }) => actual.get(id) ?? [])
    const mend = `mend ${appId}`
    if (app.isScaling && app.inProgress.length === 0)
      background.start(`scale ${appId}`, () => jobs.run('scale-app', { appId }))
    const isMissing = found.length < Object.values(app.replicas).reduce((sum, each) => sum + each, 0)
    if (isMissing || found.some(lies) || isFirst || background.hasFailed(mend))
      background.start(mend, () => mendSlots(() => mendServing(host, appId, stopping)))
    for (const { id, process, port, state, restarts } of recorded) {
      const container = actual.get(id)
      // What is not of `web` has no port that anybody could reach.
      if (container?.status !== 'running' || process !== web || host.ending.has(id)) continue
      if (port === null || state !== 'running' || restarts !== container.restarts)
        background.start(`reach ${id}`, () => untilReachable(host, container, liveDeploymentId))
    }
  }

  function sweep(id: string, appId: string): void {
    // Who holds it is making or removing containers at this moment.
    if (host.locks.isHeld(appKey(appId))) return
    background.start(`sweep ${id}`, () =>
      withWholeApp(host.locks, appId, async () => {
        const app = await desiredApp(platform, host.id, appId)
        const container = (await engine.containers.list()).find((each) => each.id === id)
        if (container === undefined || isWanted(container, app ?? undefined)) return
        log.info({ container: id }, 'a container that nobody wants any more is removed')
        await removeContainer(host, id, usualGraceMs)
      }),
    )
  }

  function sweepRun(id: string, runId: string): void {
    background.start(`sweep ${id}`, async () => {
      // It may have begun since.
      if (!(await activeRuns(platform, host.id)).has(runId)) await removeContainer(host, id, usualGraceMs)
    })
  }

  async function interrupt(deploymentId: string): Promise<void> {
    const message =
      'The worker was interrupted for too long while it worked on this deployment. Deploy again.'
    const end = { exitCode: null, signal: null, oomKilled: false, lastLogLines: [] }
    const failure = { step: 'queue', code: 'interrupted', message, facts: {}, ...end } as const
    await setDeploymentStatus(platform, deploymentId, 'failed', { failure })
  }

  async function listen(signal: AbortSignal): Promise<void> {
    for await (const event of engine.containers.events({ signal })) {
      const { type, container } = event
      await crashes.saw(event)
      if (type === 'started') host.logs.follow(container)
      if (type === 'started' || type === 'exited') wake.resolve()
    }
  }

  async function tellAll(cause: RecoveryCause): Promise<void> {
    for (const { appId, desiredState: wanted, liveDeploymentId } of await desiredState(platform, host.id))
      if (wanted === 'running' && liveDeploymentId !== null)
        await emitAppEvent(platform, appId, { kind: 'recovery.mended', cause, ...wholeApp })
  }

  return {
    once,
    tellAll,
    async settled() {
      await background.settled()
      await health.settled()
    },
    async run(signal) {
      const listening = listen(signal)
      let isFailing = false
      while (!signal.aborted) {
        await Promise.race([wake.promise, sleep(everyMs, undefined, { signal }).catch(() => undefined)])
        if (signal.aborted) break
        wake = Promise.withResolvers()
        try {
          await once()
          if (isFailing) log.info('the comparison with what should be works again')
          isFailing = false
        } catch (error) {
          log[isFailing ? 'debug' : 'warn'](
            { err: error },
            'what should be could not be compared with what is',
          )
          isFailing = true
        }
        // A container that ends again and again wakes this often; once in a while is enough.
        await sleep(50, undefined, { signal }).catch(() => undefined)
      }
      await listening
    },
  }
}

const wholeApp = { process: web, replica: null }

/** What gets traffic. While a deployment takes over, nothing of its app is judged. */
function servingOf({ appId, desiredState: wanted, isScaling, ...app }: DesiredApp) {
  const { liveDeploymentId, inProgress, containers } = app
  if (wanted !== 'running' || inProgress.some(({ status }) => status === 'routing')) return []
  // One that grows or shrinks an app is not sick while it has no traffic.
  return containers.flatMap(({ id, deploymentId, process, replica, port, state, outOfTraffic }) =>
    deploymentId === liveDeploymentId && state === 'running' && port !== null && !(isScaling && outOfTraffic)
      ? [{ id, appId, deploymentId, process, replica, port }]
      : [],
  )
}

function isWanted(container: Container, app: DesiredApp | undefined): boolean {
  const deploymentId = container.labels[labels.deployment]
  if (app === undefined || app.desiredState !== 'running') return false
  const { process, replica } = slotOf(container)
  const isSurplus = !app.isScaling && replica >= (app.replicas[process] ?? 0)
  const isLive = deploymentId === app.liveDeploymentId && !isTask(container) && !isSurplus
  return isLive || app.inProgress.some(({ id }) => id === deploymentId)
}
