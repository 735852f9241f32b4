import { setTimeout as sleep } from 'node:timers/promises'
import type { JobData } from '../../platform/jobs.ts'
import type { Scaling } from '../../platform/model/scale.ts'
import { loadDeployment } from '../../platform/worker/deployments.ts'
import { type DesiredApp, desiredApp } from '../../platform/worker/desired-state.ts'
import { finishScaling, pendingScalingOf, refuseScaling } from '../../platform/worker/scaling.ts'
import { CalledOff } from '../failure.ts'
import type { Host } from '../host.ts'
import { appKey } from '../locks.ts'
import type { JobRun } from '../run-job.ts'
import { bringToSize, ScalingRefused } from '../scaling.ts'

/** Brings an app to the size that was asked for last. A deployment, or a stop, that is asked for meanwhile goes first. */
export async function scaleApp(
  host: Host,
  { appId }: JobData<'scale-app'>,
  { stopping }: JobRun,
): Promise<void> {
  await host.locks.run(appKey(appId), async () => {
    for (;;) {
      const scaling = await pendingScalingOf(host.platform, appId)
      if (scaling === null || !(await mayGoOn(host, appId, scaling))) return
      await carryOut(host, appId, scaling, stopping)
    }
  })
}

async function carryOut(host: Host, appId: string, scaling: Scaling, stopping: AbortSignal): Promise<void> {
  const { platform, log } = host
  const over = new AbortController()
  const signal = AbortSignal.any([stopping, over.signal])
  const work = await loadDeployment(platform, scaling.deploymentId)
  const app = await desiredApp(platform, host.id, appId)
  if (app === null || work === null) return
  const watching = abortWhenUnwanted(host, appId, scaling, app.desiredState, over)
  try {
    // One that is stopped has no containers: it starts with this size.
    if (app.desiredState === 'running') await bringToSize(host, work, scaling, signal)
    await finishScaling(platform, appId, scaling)
    log.info({ app: appId, to: scaling.to }, `${app.slug} was scaled`)
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error
    // The next one begins where this one got to.
    if (reason instanceof CalledOff) return
    if (!(reason instanceof ScalingRefused)) throw reason
    log.warn({ app: appId, err: reason.cause }, `an app was not scaled: ${reason.message}`)
    await refuseScaling(platform, appId, scaling, reason.problem)
  } finally {
    over.abort(new CalledOff())
    await watching
  }
}

/** Not when something else is asked of the app since. */
async function mayGoOn(
  host: Host,
  appId: string,
  scaling: Scaling,
  wanted?: DesiredApp['desiredState'],
): Promise<boolean> {
  const app = await desiredApp(host.platform, host.id, appId)
  const now = await pendingScalingOf(host.platform, appId)
  if (app === null || app.desiredState === 'deleted' || app.inProgress.length > 0) return false
  return now?.id === scaling.id && (wanted === undefined || app.desiredState === wanted)
}

const lookMs = 300

async function abortWhenUnwanted(
  host: Host,
  appId: string,
  scaling: Scaling,
  wanted: DesiredApp['desiredState'],
  over: AbortController,
): Promise<void> {
  while (!over.signal.aborted) {
    await sleep(lookMs, undefined, { signal: over.signal }).catch(() => undefined)
    // What can't be read now is read again.
    const isWanted = await mayGoOn(host, appId, scaling, wanted).catch(() => true)
    if (!isWanted) over.abort(new CalledOff())
  }
}
