import { type Container, type Image, isEngineError } from '../engine/index.ts'
import { noPort, processesOf, processOf, web } from '../platform/model/processes.ts'
import { moveTraffic, reportContainer } from '../platform/worker/containers.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import { publishMessage } from '../platform/worker/steps.ts'
import { all } from './all.ts'
import { batchesOf, oldLeft } from './batches.ts'
import { containerId, labels, portFor, type Slot, slotOf, slotsOf } from './container-spec.ts'
import { containersOf, makeReplica, removeAll, runReplica } from './containers.ts'
import { DeployFailure, messageOf, startFailure } from './failure.ts'
import { checkedOf, firstAnswer, observe, standFirm } from './health/check.ts'
import { watchExits } from './health/exits.ts'
import type { Host } from './host.ts'
import { servingKey } from './locks.ts'
import { requireLed, requirePorts } from './ports.ts'
import { mendServing } from './serving.ts'
import { leaveTraffic, stopAfterTraffic } from './traffic.ts'

/**
 * A deployment's containers take over from those that serve: the first batch is started, checked and switched to, then
 * batch after batch. Each may be called again after another worker got anywhere.
 */
export interface Rollout {
  /** The first batch; where only one container may hold the app's volumes, the old ones are stopped just before. */
  start(): Promise<void>
  /** Answers with the ports that the first batch answers on; none where it is asked by none. */
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
  const [, ...others] = processesOf(work.settings)
  const beside = others.flatMap((process) => slotsOf(process.name, process.replicas))
  const exits = watchExits(host, work, 'before it was live', signal)
  const previous = work.live?.deploymentId === deploymentId ? null : work.live
  const oldSettings = previous?.settings ?? work.settings
  const graceMs = oldSettings.stopGraceMs
  const isServed =
    previous?.containers.some(({ state, port }) => state === 'running' && port !== null) ?? false
  const stopsFirst = work.volumes.length > 0
  const batches = batchesOf(replicas, isServed && !stopsFirst)
  const [first = [], ...later] = batches

  /**
   * All of a batch are made before its first one starts, so that no exit can be missed. With the first one of `web` all
   * other processes start: a deployment is right when all of them are.
   */
  async function startBatch(slots: Slot[]): Promise<void> {
    const made = await all(slots.map((slot) => of(slot, makeReplica(host, work, image, slot, signal))))
    exits.add(made)
    if (stopsFirst) await of(slots[0] ?? { process: web, replica: 0 }, stopOld())
    await all(made.map((container) => of(slotOf(container), runReplica(host, container, signal))))
  }

  /** Says of what the engine refuses which container it is about. */
  async function of<Done>(slot: Slot, doing: Promise<Done>): Promise<Done> {
    try {
      return await doing
    } catch (cause) {
      signal.throwIfAborted()
      if (!isEngineError(cause)) throw cause
      throw startFailure(
        containerId(deploymentId, slot),
        cause,
        slot.process === web ? {} : { process: slot.process },
      )
    }
  }

  /** Every replica answers, and goes on answering. An app that nothing serves yet is reachable from the first answer on. */
  async function checkBatch(slots: Slot[]): Promise<number[]> {
    const ports = await Promise.all(
      slots.map(async (slot) => {
        const container = await host.engine.containers.inspect(containerId(deploymentId, slot))
        const checked = checkedOf(host, work, container, portFor(work, image))
        if (slot.process !== web) return standFirm(checked, signal)
        const port = await firstAnswer(checked, signal)
        await reportContainer(platform, container.id, { port })
        if (!isServed || stopsFirst) await syncEdge()
        await observe(checked, port, signal)
        return port
      }),
    )
    return ports.filter((port) => port !== null).filter((port) => port !== noPort)
  }

  /** With the batch that ends at `made` new containers serve, and the old ones that it replaces no longer do. */
  async function switchTo(made: number): Promise<void> {
    const to = slotsOf(web, made).map((slot) => containerId(deploymentId, slot))
    await moveTraffic(platform, { to, from: replacedBy(made) })
    await syncEdge()
    requireLed(host, work)
  }

  function replacedBy(made: number): string[] {
    const old = previous?.containers.filter(({ process }) => process === web) ?? []
    const left = oldLeft({ old: previous?.settings.replicas ?? 0, made, wanted: replicas })
    return old.filter(({ replica }) => replica >= left).map(({ id }) => id)
  }

  /** Open requests end, or their grace; then the containers do. What nobody connects to is told to end at once. */
  async function drainAndRemove(ids: string[], processes: Container[] = []): Promise<void> {
    if (ids.length + processes.length === 0) return
    await locks.run(servingKey(work.app.id), async () => {
      const ending = all(
        processes.map(async (container) => {
          const limitMs = graceOf(container)
          if (hasPort(container)) await exits.race(edge.drained([container.id], { limitMs, signal }))
          await removeAll(host, [container.id], limitMs, signal)
        }),
      )
      ending.catch(() => undefined)
      await exits.race(edge.drained(ids, { limitMs: graceMs, signal }))
      signal.throwIfAborted()
      await removeAll(host, ids, graceMs, signal)
      await ending
    })
  }

  /** Whether a port of the host led to a container of what was there before. */
  function hasPort(container: Container): boolean {
    return Object.values(oldSettings.ports).some(({ process }) => process === slotOf(container).process)
  }

  /** Of a container of what was there before. */
  function graceOf(container: Container): number {
    return processOf(oldSettings, slotOf(container).process)?.stopGraceMs ?? graceMs
  }

  /** Nobody asks them any more, they are stopped and stay: they are started again if the new ones fail. */
  async function stopOld(): Promise<void> {
    const old = (await oldOnes()).filter((each) => each.status === 'running' && isWeb(each))
    if (old.length === 0) return
    await locks.run(servingKey(work.app.id), async () => {
      const ids = old.map(({ id }) => id)
      await leaveTraffic(host, ids)
      await syncEdge()
      await stopAfterTraffic(host, ids, { graceMs, signal })
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
    await all(told.map((each) => host.engine.containers.stop(each.id, { graceMs: graceOf(each) })))
    return told.length > 0
  }

  async function removeOwn(): Promise<void> {
    const own = await containersOf(host, { appId: work.app.id, deploymentId })
    await all(
      own.map((each) => {
        // Nobody asked it anything; a worker may have begun something, and puts it back.
        const process = isWeb(each) ? null : processOf(work.settings, slotOf(each).process)
        return removeAll(host, [each.id], process?.stopGraceMs ?? 0)
      }),
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
    async start() {
      await requirePorts(host, work)
      await startBatch([...webSlots(first), ...beside])
    },
    check: () => exits.race(checkBatch([...webSlots(first), ...beside])),
    async takeOver() {
      let made = first.length
      await exits.race(switchTo(made))
      for (const [index, batch] of later.entries()) {
        await drainAndRemove(replacedBy(made))
        await publishMessage(platform, deploymentId, `Replacing batch ${index + 2} of ${batches.length}`)
        await exits.race(startBatch(webSlots(batch)))
        await exits.race(checkBatch(webSlots(batch)))
        made += batch.length
        await exits.race(switchTo(made))
      }
    },
    async retire() {
      const old = await oldOnes()
      await drainAndRemove(
        old.filter(isWeb).map(({ id }) => id),
        old.filter((each) => !isWeb(each)),
      )
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

const mendMs = 120_000

const webSlots = (replicas: number[]): Slot[] => replicas.map((replica) => ({ process: web, replica }))
const isWeb = (container: Container) => slotOf(container).process === web
