import { type Container, type Image, isEngineError } from '../engine/index.ts'
import { moveTraffic, reportContainer } from '../platform/worker/containers.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import { publishMessage } from '../platform/worker/steps.ts'
import { batchesOf, oldLeft } from './batches.ts'
import { containerId, labels, portFor } from './container-spec.ts'
import { containersOf, exitReport, makeReplica, removeAll, runReplica } from './containers.ts'
import { DeployFailure, messageOf, startFailure } from './failure.ts'
import { checkedOf, firstAnswer, observe } from './health/check.ts'
import { watchExits } from './health/exits.ts'
import type { Host } from './host.ts'
import { servingKey } from './locks.ts'
import { mendServing } from './serving.ts'

/**
 * A deployment's containers take over from those that serve: the first batch is started, checked and switched to, then
 * batch after batch. Each may be called again after another worker got anywhere.
 */
export interface Rollout {
  /** The first batch; where only one container may hold the app's volumes, the old ones are stopped just before. */
  start(): Promise<void>
  /** Answers with the ports that the first batch answers on. */
  check(): Promise<number[]>
  /** Until all traffic is with the new containers. Throws `route-failed`, and whatever starting and checking throw. */
  takeOver(): Promise<void>
  /** What is left of the old containers goes. From the first stop on, there is no way back. */
  retire(): Promise<void>
  /** Those that served before do again, and the new ones go. */
  undo(): Promise<void>
}

export function createRollout(host: Host, work: DeploymentWork, image: Image, signal: AbortSignal): Rollout {
  const { platform, edge, locks } = host
  const { id: deploymentId } = work.deployment
  const { replicas } = work.settings
  const exits = watchExits(host, work, 'before it was live', signal)
  const previous = work.live?.deploymentId === deploymentId ? null : work.live
  const graceMs = previous?.settings.stopGraceMs ?? work.settings.stopGraceMs
  const isServed =
    previous?.containers.some(({ state, port }) => state === 'running' && port !== null) ?? false
  const stopsFirst = work.volumes.length > 0
  const batches = batchesOf(replicas, isServed && !stopsFirst)
  const [first = [], ...others] = batches

  /** All of a batch are made before its first one starts, so that no exit can be missed. */
  async function startBatch(batch: number[]): Promise<void> {
    try {
      const made = await all(batch.map((replica) => makeReplica(host, work, image, replica, signal)))
      exits.add(made)
      if (stopsFirst) await stopOld()
      await all(made.map((container) => runReplica(host, container, signal)))
    } catch (cause) {
      signal.throwIfAborted()
      if (!isEngineError(cause)) throw cause
      throw startFailure(containerId(deploymentId, batch[0] ?? 0), cause)
    }
  }

  /** Every replica answers, and goes on answering. An app that nothing serves yet is reachable from the first answer on. */
  async function checkBatch(batch: number[]): Promise<number[]> {
    return Promise.all(
      batch.map(async (replica) => {
        const container = await host.engine.containers.inspect(containerId(deploymentId, replica))
        const checked = checkedOf(host, work, container, portFor(work, image))
        const port = await firstAnswer(checked, signal)
        await reportContainer(platform, container.id, { port })
        if (!isServed || stopsFirst) await syncEdge()
        await observe(checked, port, signal)
        return port
      }),
    )
  }

  /** With the batch that ends at `made` new containers serve, and the old ones that it replaces no longer do. */
  async function switchTo(made: number): Promise<void> {
    const to = Array.from({ length: made }, (_, replica) => containerId(deploymentId, replica))
    await moveTraffic(platform, { to, from: replacedBy(made) })
    await syncEdge()
  }

  function replacedBy(made: number): string[] {
    const old = previous?.containers ?? []
    const left = oldLeft({ old: previous?.settings.replicas ?? 0, made, wanted: replicas })
    return old.filter(({ replica }) => replica >= left).map(({ id }) => id)
  }

  /** Open requests end, or their grace; then the containers do. */
  async function drainAndRemove(ids: string[]): Promise<void> {
    if (ids.length === 0) return
    await locks.run(servingKey(work.app.id), async () => {
      await exits.race(edge.drained(ids, { limitMs: graceMs, signal }))
      signal.throwIfAborted()
      await removeAll(host, ids, graceMs, signal)
    })
  }

  /** Nobody asks them any more, they are stopped and stay: they are started again if the new ones fail. */
  async function stopOld(): Promise<void> {
    const old = (await oldOnes()).filter(({ status }) => status === 'running')
    if (old.length === 0) return
    await locks.run(servingKey(work.app.id), async () => {
      for (const { id } of old) host.ending.add(id)
      await all(old.map(({ id }) => reportContainer(platform, id, { port: null })))
      await syncEdge()
      // What is quick to answer gets its answer; what is slow may take as long as the app lets it after its stop signal.
      await edge.drained(
        old.map(({ id }) => id),
        { limitMs: Math.min(quickAnswerMs, graceMs), signal },
      )
      await all(
        old.map(async ({ id }) =>
          reportContainer(
            platform,
            id,
            exitReport(await host.engine.containers.stop(id, { graceMs, signal })),
          ),
        ),
      )
    })
  }

  async function oldOnes(): Promise<Container[]> {
    const containers = await containersOf(host, { appId: work.app.id })
    return containers.filter((container) => container.labels[labels.deployment] !== deploymentId)
  }

  /**
   * Those of the old ones that were told to end when the deployment was called off do so, each within its grace: they
   * can't be told otherwise, and are started again afterwards. True if there are any.
   */
  async function letThemEnd(): Promise<boolean> {
    const told = (await oldOnes()).filter(({ id, status }) => host.ending.has(id) && status !== 'created')
    await all(told.map(({ id }) => host.engine.containers.stop(id, { graceMs })))
    return told.length > 0
  }

  async function removeOwn(): Promise<void> {
    const own = await containersOf(host, { appId: work.app.id, deploymentId })
    await removeAll(
      host,
      own.map(({ id }) => id),
      0,
    )
  }

  /** The edge follows what is recorded: all that is left to do is to make it look. */
  async function syncEdge(): Promise<void> {
    try {
      await edge.sync()
    } catch (cause) {
      const reason = messageOf(cause)
      throw new DeployFailure('route-failed', `Traffic could not be switched: ${reason}`, {
        cause,
        facts: { reason },
      })
    }
  }

  return {
    start: () => startBatch(first),
    check: () => exits.race(checkBatch(first)),
    async takeOver() {
      let made = first.length
      await exits.race(switchTo(made))
      for (const [index, batch] of others.entries()) {
        await drainAndRemove(replacedBy(made))
        await publishMessage(platform, deploymentId, `Replacing batch ${index + 2} of ${batches.length}`)
        await exits.race(startBatch(batch))
        await exits.race(checkBatch(batch))
        made += batch.length
        await exits.race(switchTo(made))
      }
    },
    async retire() {
      await drainAndRemove((await oldOnes()).map(({ id }) => id))
    },
    async undo() {
      // What waits for a new attempt at the app's volumes must not meet the one that failed.
      if (stopsFirst) await removeOwn()
      if (previous !== null) {
        const wereTold = await letThemEnd()
        await moveTraffic(platform, { to: previous.containers.map(({ id }) => id), from: [] })
        await mendServing(host, work.app.id, AbortSignal.timeout(mendMs), {
          evenJustEnded: stopsFirst || wereTold,
        })
      }
      await edge.sync()
      await removeOwn()
    },
  }
}

const quickAnswerMs = 1_000
const mendMs = 120_000

/** Like Promise.all, but nothing is under way any more when it throws, so that it can be undone. */
async function all<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
