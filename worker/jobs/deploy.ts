import { setTimeout as sleep } from 'node:timers/promises'
import { isEngineError } from '../../engine/index.ts'
import type { JobData } from '../../platform/jobs.ts'
import { canBecome, type DeploymentStatus, isInProgress } from '../../platform/model/deployment-status.ts'
import type { StepName } from '../../platform/model/deployment-step.ts'
import type { LayerProgress } from '../../platform/model/events.ts'
import type { Failure } from '../../platform/model/failure.ts'
import { markLive, setDeploymentStatus, setImageDigest } from '../../platform/worker/deployment-status.ts'
import { type DeploymentWork, isCancelAsked, loadDeployment } from '../../platform/worker/deployments.ts'
import { finishStep, publishLayers, startStep } from '../../platform/worker/steps.ts'
import { buildFirst } from '../builds/build-first.ts'
import { isTask } from '../container-spec.ts'
import { containersOf, lastLines, removeAll } from '../containers.ts'
import {
  CalledOff,
  DeployFailure,
  internalFailure,
  messageOf,
  WorkerStopping,
  withLastWords,
  withProcess,
} from '../failure.ts'
import type { Host } from '../host.ts'
import { atMostEvery, ensureImage } from '../images.ts'
import { appKey } from '../locks.ts'
import { runRelease } from '../release.ts'
import { createRollout } from '../rollout.ts'
import type { JobRun } from '../run-job.ts'
import { createSteps } from '../steps.ts'

/**
 * Carries a deployment out, from wherever an earlier worker left it. It ends live, failed or canceled; only a worker
 * that stops leaves it as it is. Every step may run twice.
 */
export async function deploy(host: Host, { deploymentId }: JobData<'deploy'>, run: JobRun): Promise<void> {
  const { platform, locks, deploySlots } = host
  const asked = await loadDeployment(platform, deploymentId)
  if (asked === null || !isInProgress(asked.deployment.status)) return
  // Others of the app go on meanwhile: what is built needs its turn to be deployed afterwards.
  if (!(await buildFirst(host, asked, run))) return
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

    const rollout = createRollout(host, work, image, signal)
    await advance('starting')
    await steps.step('start', rollout.start, { undo: rollout.undo })

    await advance('checking')
    await steps.step('check', async (say) => {
      const answering = [...new Set(await rollout.check())].join(', ')
      say(answering === '' ? 'Goes on running' : `Answers on port ${answering}`, { ports: answering })
    })

    await advance('routing')
    await steps.step('route', rollout.takeOver)

    await steps.step('retire', rollout.retire)
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
  const bare = reason instanceof DeployFailure ? reason : internalFailure(reason)
  const lines = bare.containerId === null ? [] : await lastLines(host, bare.containerId, 50)
  const known = withProcess(withLastWords(bare, lines, work.variables))
  const failure: Failure = {
    step,
    code: known.code,
    message: known.message,
    facts: known.facts,
    ...known.end,
    lastLogLines: lines,
  }
  host.log.warn(
    { deployment: id, err: bare === reason ? bare.cause : reason },
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
