import { setTimeout as sleep } from 'node:timers/promises'
import { type Container, type Image, isEngineError } from '../../engine/index.ts'
import type { JobData } from '../../platform/jobs.ts'
import { canBecome, type DeploymentStatus, isInProgress } from '../../platform/model/deployment-status.ts'
import type { StepName } from '../../platform/model/deployment-step.ts'
import type { LayerProgress } from '../../platform/model/events.ts'
import type { Failure } from '../../platform/model/failure.ts'
import { reportContainer } from '../../platform/worker/containers.ts'
import { markLive, setDeploymentStatus, setImageDigest } from '../../platform/worker/deployment-status.ts'
import { type DeploymentWork, isCancelAsked, loadDeployment } from '../../platform/worker/deployments.ts'
import { finishStep, publishLayers, startStep } from '../../platform/worker/steps.ts'
import { containerId, isTask, labels, portFor } from '../container-spec.ts'
import { containersOf, lastLines, makeReplica, removeAll, runReplica } from '../containers.ts'
import {
  CalledOff,
  DeployFailure,
  internalFailure,
  messageOf,
  startFailure,
  WorkerStopping,
} from '../failure.ts'
import { checkedOf, firstAnswer, observe } from '../health/check.ts'
import { type ExitWatch, watchExits } from '../health/exits.ts'
import type { Host } from '../host.ts'
import { atMostEvery, ensureImage } from '../images.ts'
import { appKey, servingKey } from '../locks.ts'
import { runRelease } from '../release.ts'
import type { JobRun } from '../run-job.ts'
import { createSteps } from '../steps.ts'

/**
 * Carries a deployment out, from wherever an earlier worker left it. It ends live, failed or canceled; only a worker
 * that stops leaves it as it is. Every step may run twice.
 */
export async function deploy(host: Host, { deploymentId }: JobData<'deploy'>, run: JobRun): Promise<void> {
  const { platform, locks, deploySlots } = host
  const asked = await loadDeployment(platform, deploymentId)
  if (asked === null) return
  await locks.run(appKey(asked.app.id), () =>
    deploySlots(async () => {
      run.stopping.throwIfAborted()
      // It may have waited for long: another one of the app may be live now, and this one canceled.
      const work = await loadDeployment(platform, deploymentId)
      if (work !== null && isInProgress(work.deployment.status)) await carryOut(host, work, run)
    }),
  )
}

async function carryOut(host: Host, work: DeploymentWork, { stopping, countAttempt }: JobRun): Promise<void> {
  const { platform, edge, log } = host
  const { id } = work.deployment
  const attempt = countAttempt()
  const over = new AbortController()
  const signal = AbortSignal.any([stopping, over.signal])
  let current: StepName = 'pull'
  const steps = createSteps({
    log,
    outcomeOf: (error) => outcomeOf(signal.aborted ? signal.reason : error),
    record: {
      start: (name) => {
        current = name
        return startStep(platform, id, name)
      },
      finish: (name, outcome) => finishStep(platform, id, name, outcome),
    },
  })
  const advance = statusOf(host, work)
  const { number } = work.deployment
  log.info({ deployment: id, app: work.app.slug }, `deployment ${number} of ${work.app.name} begins`)
  // From here on its address says that it is coming; a new app needs a reload, which need not wait for its turn.
  const announced = edge
    .sync()
    .catch((error) => log.warn({ err: error }, 'the edge could not be told of a deployment'))
  const watchingCancel = abortWhenCalledOff(host, id, over)
  try {
    await advance('pulling')
    const image = await steps.step('pull', async (say) => {
      const pulled = await pull(host, work, signal)
      const [layers, { sizeBytes }] = [pulled.layers.length, pulled]
      say(`${layers} ${layers === 1 ? 'layer' : 'layers'}, ${(sizeBytes / 1e6).toFixed(1)} MB`, {
        layers,
        sizeBytes,
      })
      return pulled
    })

    // What a rollback goes back to has been released once; its migrations know nothing of what came later.
    if (work.settings.release.command !== null && !work.deployment.isRollback) {
      await advance('releasing')
      await steps.step('release', () => runRelease(host, work, image, signal), {
        undo: () => removeDeployment(host, work),
      })
    }

    await advance('starting')
    const { containers, exits } = await steps.step('start', () => startAll(host, work, image, signal), {
      undo: () => removeDeployment(host, work),
    })

    await advance('checking')
    await steps.step(
      'check',
      async (say) => {
        const ports = await exits.race(checkAll(host, work, containers, portFor(work, image), signal))
        const answering = [...new Set(ports)].join(', ')
        say(`Answers on port ${answering}`, { ports: answering })
      },
      { undo: () => edge.sync() },
    )

    await advance('routing')
    await steps.step('route', () => exits.race(switchTraffic(host)), { undo: () => edge.sync() })

    await steps.step('retire', () => retire(host, work, exits, signal))
    if (!(await markLive(platform, id))) throw new CalledOff()
    log.info({ deployment: id }, `deployment ${number} of ${work.app.name} is live`)
    await removeTasks(host, work)
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error
    if (reason instanceof WorkerStopping) throw reason
    // Such as a database that restarts: what is done already is found again by the next attempt.
    if (isUnexpected(reason) && attempt < maxAttempts) throw reason
    await giveUp(host, work, current, reason)
    await steps.undo()
  } finally {
    over.abort(new CalledOff())
    await Promise.all([announced, watchingCancel])
  }
}

/** Steps may run twice, statuses never go back. Throws CalledOff when the deployment may not go on. */
function statusOf(
  host: Host,
  work: DeploymentWork,
): (to: Exclude<DeploymentStatus, 'live'>) => Promise<void> {
  let status = work.deployment.status
  return async (to) => {
    if (!canBecome(status, to)) return
    if (!(await setDeploymentStatus(host.platform, work.deployment.id, to))) throw new CalledOff()
    status = to
  }
}

async function pull(host: Host, work: DeploymentWork, signal: AbortSignal) {
  const { id } = work.deployment
  const progress = atMostEvery(250, (layers: LayerProgress[]) => publishLayers(host.platform, id, layers))
  try {
    const image = await ensureImage(host, work, { onProgress: progress.push, signal })
    await setImageDigest(host.platform, id, image.digest)
    return image
  } finally {
    await progress.finish()
  }
}

/** All replicas are made before the first one starts, so that no exit can be missed. */
async function startAll(
  host: Host,
  work: DeploymentWork,
  image: Image,
  signal: AbortSignal,
): Promise<{ containers: Container[]; exits: ExitWatch }> {
  try {
    const replicas = Array.from({ length: work.settings.replicas }, (_, replica) => replica)
    const made = await all(replicas.map((replica) => makeReplica(host, work, image, replica, signal)))
    const exits = watchExits(host, made, 'before it was live', signal)
    return { containers: await all(made.map((container) => runReplica(host, container, signal))), exits }
  } catch (cause) {
    signal.throwIfAborted()
    if (!isEngineError(cause)) throw cause
    throw startFailure(containerId(work.deployment.id, 0), cause)
  }
}

/** Like Promise.all, but nothing is under way any more when it throws, so that it can be undone. */
async function all<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

/** Every replica answers, and goes on answering. An app that nothing serves yet is reachable from the first answer on. */
async function checkAll(
  host: Host,
  work: DeploymentWork,
  containers: Container[],
  likelyPort: number,
  signal: AbortSignal,
): Promise<number[]> {
  const isServed =
    work.live?.containers.some(({ state, port }) => state === 'running' && port !== null) ?? false
  return Promise.all(
    containers.map(async (container) => {
      const { id } = container
      const checked = checkedOf(host, work, container, likelyPort)
      const port = await firstAnswer(checked, signal)
      await reportContainer(host.platform, id, { port })
      if (!isServed) await switchTraffic(host)
      await observe(checked, port, signal)
      return port
    }),
  )
}

/** The edge follows the recorded status and ports: all that is left to do is to make it look. */
async function switchTraffic(host: Host): Promise<void> {
  try {
    await host.edge.sync()
  } catch (cause) {
    const reason = messageOf(cause)
    throw new DeployFailure('route-failed', `Traffic could not be switched: ${reason}`, {
      cause,
      facts: { reason },
    })
  }
}

/** The old containers finish what they are asked, and go. From the first stop on, there is no way back. */
async function retire(
  host: Host,
  work: DeploymentWork,
  exits: ExitWatch,
  signal: AbortSignal,
): Promise<void> {
  const graceMs = work.live?.settings.stopGraceMs ?? work.settings.stopGraceMs
  await host.locks.run(servingKey(work.app.id), async () => {
    const containers = await containersOf(host, { appId: work.app.id })
    const old = containers.filter((container) => container.labels[labels.deployment] !== work.deployment.id)
    if (old.length === 0) return
    const ids = old.map(({ id }) => id)
    await exits.race(host.edge.drained(ids, { limitMs: graceMs, signal }))
    signal.throwIfAborted()
    await removeAll(host, ids, graceMs)
  })
}

async function removeDeployment(host: Host, work: DeploymentWork): Promise<void> {
  const own = await containersOf(host, { appId: work.app.id, deploymentId: work.deployment.id })
  await removeAll(
    host,
    own.map(({ id }) => id),
    0,
  )
}

/** What ran before it started has been kept until now, so that it would not run again. */
async function removeTasks(host: Host, work: DeploymentWork): Promise<void> {
  const own = await containersOf(host, { appId: work.app.id, deploymentId: work.deployment.id })
  const ids = own.filter(isTask).map(({ id }) => id)
  await removeAll(host, ids, 0)
}

/** Neither the app's doing nor the engine's word: something around the worker does not work. */
function isUnexpected(error: unknown): boolean {
  return !(error instanceof DeployFailure || error instanceof CalledOff || isEngineError(error))
}

function outcomeOf(error: unknown) {
  if (error instanceof WorkerStopping) return null
  if (error instanceof CalledOff) return { status: 'canceled' as const }
  return { status: 'failed' as const, detail: messageOf(error) }
}

/** Says how it ended, with the last lines of log while the container that wrote them is still there. */
async function giveUp(host: Host, work: DeploymentWork, step: StepName, reason: unknown): Promise<void> {
  const { id, number } = work.deployment
  if (reason instanceof CalledOff) {
    host.log.info({ deployment: id }, `deployment ${number} of ${work.app.name} was called off`)
    await setDeploymentStatus(host.platform, id, 'canceled')
    return
  }
  const known = reason instanceof DeployFailure ? reason : internalFailure(reason)
  const failure: Failure = {
    step,
    code: known.code,
    message: known.message,
    facts: known.facts,
    ...known.end,
    lastLogLines: known.containerId === null ? [] : await lastLines(host, known.containerId, 50),
  }
  host.log.warn(
    { deployment: id, err: known === reason ? known.cause : reason },
    `deployment ${number} of ${work.app.name} failed: ${known.message}`,
  )
  await setDeploymentStatus(host.platform, id, 'failed', { failure })
}

const maxAttempts = 4
const cancelLookMs = 300

async function abortWhenCalledOff(host: Host, id: string, over: AbortController): Promise<void> {
  while (!over.signal.aborted) {
    const isAsked = await isCancelAsked(host.platform, id).catch((error) => {
      host.log.warn({ err: error }, 'nobody can say whether a deployment was called off')
      return false
    })
    if (isAsked) over.abort(new CalledOff())
    await sleep(cancelLookMs, undefined, { signal: over.signal }).catch(() => undefined)
  }
}
