import { isEngineError } from '../../engine/index.ts'
import type { JobData } from '../../platform/jobs.ts'
import {
  finishTask,
  loadVolumeWork,
  reportVolumeUse,
  snapshotFailed,
  snapshotIsMade,
  snapshotIsRemoved,
  type VolumeWork,
  volumeHasProblem,
  volumeIsGone,
  volumeIsMade,
} from '../../platform/worker/volumes.ts'
import { ensureVolume } from '../ensure-volume.ts'
import { messageOf } from '../failure.ts'
import type { Host } from '../host.ts'
import type { JobRun } from '../run-job.ts'
import { whileUnused } from '../volumes.ts'

/**
 * Does with a volume what is to be done, one thing after another, until there is nothing. Each can be begun again after
 * a worker that was killed in it: what is half done is found out of the engine, and carried on or made anew.
 */
export async function workOnVolume(
  host: Host,
  { volumeId }: JobData<'work-on-volume'>,
  { stopping }: JobRun,
): Promise<void> {
  await host.locks.run(`volume:${volumeId}`, async () => {
    for (;;) {
      const work = await loadVolumeWork(host.platform, volumeId)
      if (work === null || !(await next(host, work, stopping))) return
      stopping.throwIfAborted()
    }
  })
}

/** False: nothing is left to be done. */
async function next(host: Host, work: VolumeWork, signal: AbortSignal): Promise<boolean> {
  const { platform, engine } = host
  const [removed] = work.removed
  const [waiting] = work.waiting
  if (work.isOver) {
    await remove(host, work)
    return false
  }
  if (!work.isMade) await make(host, work)
  else if (removed !== undefined) {
    await engine.volumes.snapshots.remove(removed)
    await snapshotIsRemoved(platform, work, removed)
  } else if (waiting !== undefined) await takeSnapshot(host, work, waiting, signal)
  else if (work.task !== null) await carryOut(host, work, signal)
  else return false
  return true
}

async function make(host: Host, work: VolumeWork): Promise<void> {
  try {
    await ensureVolume(host, work)
    await measure(host, work)
    await volumeIsMade(host.platform, work)
  } catch (error) {
    await volumeHasProblem(host.platform, work, messageOf(error))
    throw error
  }
}

async function takeSnapshot(host: Host, work: VolumeWork, id: string, signal: AbortSignal): Promise<void> {
  try {
    const made = await host.engine.volumes.snapshots.create(id, { volume: work.id, signal })
    await snapshotIsMade(host.platform, work, id, made.allocatedBytes)
  } catch (error) {
    signal.throwIfAborted()
    host.log.warn({ err: error, volume: work.id }, 'a volume could not be copied')
    await snapshotFailed(host.platform, work, id, messageOf(error))
  }
}

async function carryOut(host: Host, work: VolumeWork, signal: AbortSignal): Promise<void> {
  const { volumes } = host.engine
  const { id, task } = work
  if (task === null) return
  try {
    if (task.kind === 'resize') {
      await whileUnused(host, work, () => volumes.resize(id, task.toBytes, { signal }))
      await measure(host, work)
      await finishTask(host.platform, work, {})
    } else {
      await restore(host, work, task, signal)
    }
  } catch (error) {
    // The next worker goes on with it.
    signal.throwIfAborted()
    if (!isEngineError(error)) throw error
    host.log.warn({ err: error, volume: id }, `a volume could not be changed: ${task.kind}`)
    await finishTask(host.platform, work, { problem: messageOf(error) })
  }
}

async function restore(
  host: Host,
  work: VolumeWork,
  { snapshotId, keepAs }: { snapshotId: string; keepAs: string },
  signal: AbortSignal,
): Promise<void> {
  const { snapshots } = host.engine.volumes
  const volume = work.id
  await snapshots.prepareRestore(snapshotId, { volume, keepAs, signal })
  await whileUnused(host, work, () => snapshots.restore(snapshotId, { volume, keepAs }))
  await measure(host, work)
  const kept = (await snapshots.list({ volume })).find(({ id }) => id === keepAs)
  await finishTask(host.platform, work, { allocatedBytes: kept?.allocatedBytes ?? 0 })
}

async function remove(host: Host, work: VolumeWork): Promise<void> {
  const { engine, platform, log } = host
  try {
    await engine.volumes.remove(work.id)
  } catch (error) {
    if (!isEngineError(error, 'failed-precondition')) throw error
    // A container of an earlier deployment is being removed: it is tried again.
    log.debug({ err: error, volume: work.id }, 'a volume is still used')
    return
  }
  await volumeIsGone(platform, work)
  log.info({ volume: work.id }, 'a deleted volume is removed')
}

async function measure(host: Host, { id }: VolumeWork): Promise<void> {
  const { usedBytes } = await host.engine.volumes.usage(id)
  await reportVolumeUse(host.platform, id, usedBytes)
}
