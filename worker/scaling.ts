import { isDeepStrictEqual } from 'node:util'
import type { Container } from '../engine/index.ts'
import { processesOf, processOf, web } from '../platform/model/processes.ts'
import { type ProcessSize, type ScaleProblem, type Scaling, sizeOfProcess } from '../platform/model/scale.ts'
import { moveTraffic, reportContainer } from '../platform/worker/containers.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import { containerId, isTask, portFor, type Slot, slotOf, slotsOf } from './container-spec.ts'
import { containersOf, find, makeReplica, removeAll, runReplica } from './containers.ts'
import { DeployFailure, messageOf, withProcess } from './failure.ts'
import { checkedOf, firstAnswer, observe, standFirm } from './health/check.ts'
import { watchExits } from './health/exits.ts'
import type { Host } from './host.ts'
import { ensureImage } from './images.ts'
import { servingKey } from './locks.ts'

/** What runs does not come to that size, and is as it was before. */
export class ScalingRefused extends Error {
  override readonly name = 'ScalingRefused'
  readonly problem: ScaleProblem

  constructor(problem: ScaleProblem, cause: unknown) {
    super(problem.message, { cause })
    this.problem = problem
  }
}

/**
 * Brings each process of what is live to another size: limits first, then new replicas, which get traffic when they have
 * answered through their observation window, then those that go, once their open requests ended or their grace is over.
 * Throws ScalingRefused when the kernel or the app does not let it; all is then as it was. May be called again from
 * wherever another worker got.
 */
export async function bringToSize(
  host: Host,
  work: DeploymentWork,
  { from, to }: Scaling,
  signal: AbortSignal,
): Promise<void> {
  const done: string[] = []
  for (const { name } of processesOf(work.settings)) {
    const [was, wanted] = [sizeOfProcess(from, name), sizeOfProcess(to, name)]
    if (was === null || wanted === null) continue
    try {
      await bringProcess(host, work, name, { from: was, to: wanted }, signal)
    } catch (error) {
      if (error instanceof ScalingRefused)
        for (const other of done) await putBack(host, work, other, { from, to })
      throw error
    }
    if (!isDeepStrictEqual(was, wanted)) done.push(name)
  }
}

async function bringProcess(
  host: Host,
  work: DeploymentWork,
  name: string,
  { from, to }: { from: ProcessSize; to: ProcessSize },
  signal: AbortSignal,
): Promise<void> {
  const serving = await servingContainers(host, work, name, Math.max(from.replicas, to.replicas))
  await limit(host, serving, from, to)
  try {
    await grow(host, work, slotsOf(name, to.replicas, from.replicas), signal)
  } catch (error) {
    if (!(error instanceof DeployFailure)) throw error
    await shrink(host, work, name, from.replicas, AbortSignal.timeout(putBackMs))
    await setLimits(host, serving.slice(0, from.replicas), from)
    const { message } = withProcess(error)
    throw new ScalingRefused({ code: 'replica-failed', message, usedBytes: null }, error)
  }
  await shrink(host, work, name, to.replicas, signal)
}

/** What one process got to before another one was refused; what can't be made again now, reconcile makes. */
async function putBack(
  host: Host,
  work: DeploymentWork,
  name: string,
  { from, to }: Pick<Scaling, 'from' | 'to'>,
): Promise<void> {
  const [was, now] = [sizeOfProcess(from, name), sizeOfProcess(to, name)]
  if (was === null || now === null) return
  await bringProcess(host, work, name, { from: now, to: was }, AbortSignal.timeout(putBackMs)).catch(
    (error) => host.log.warn({ err: error }, `the process ${name} is not back at its size yet`),
  )
}

const putBackMs = 120_000

/** Null where one is not there. */
async function servingContainers(
  host: Host,
  { deployment }: DeploymentWork,
  name: string,
  count: number,
): Promise<(Container | null)[]> {
  return Promise.all(slotsOf(name, count).map((slot) => find(host, containerId(deployment.id, slot))))
}

/** All of them, or none. */
async function limit(
  host: Host,
  serving: (Container | null)[],
  from: ProcessSize,
  to: ProcessSize,
): Promise<void> {
  try {
    await setLimits(host, serving, to)
  } catch (error) {
    const used = await mostMemory(host, serving)
    await setLimits(host, serving, from)
    if (used > to.memoryBytes) {
      const message =
        `A replica uses ${mebibytes(used)} MiB of memory: with ${mebibytes(to.memoryBytes)} MiB it would be killed. ` +
        'Choose more than it uses, or make it use less first.'
      throw new ScalingRefused({ code: 'memory-in-use', message, usedBytes: used }, error)
    }
    const message = `The host did not let its limits be changed: ${messageOf(error)}`
    throw new ScalingRefused({ code: 'refused', message, usedBytes: null }, error)
  }
}

async function setLimits(host: Host, containers: (Container | null)[], size: ProcessSize): Promise<void> {
  const { memoryBytes, cpuMillis } = size
  for (const container of containers)
    if (container !== null)
      await host.engine.containers.update(container.id, { limits: { memoryBytes, cpuMillis } })
}

/** In bytes, of the fullest; 0 where nobody can say. */
async function mostMemory(host: Host, containers: (Container | null)[]): Promise<number> {
  const used = containers.map(async (container) => {
    if (container?.status !== 'running') return 0
    return host.engine.containers.stats(container.id).then(
      ({ memoryBytes }) => memoryBytes,
      () => 0,
    )
  })
  return Math.max(0, ...(await Promise.all(used)))
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}

/** All at once: there is nothing that they replace. Throws DeployFailure. */
async function grow(host: Host, work: DeploymentWork, slots: Slot[], signal: AbortSignal): Promise<void> {
  const served = work.containers.filter(({ state, outOfTraffic }) => state === 'running' && !outOfTraffic)
  const idOf = (slot: Slot) => containerId(work.deployment.id, slot)
  const missing = slots.filter((slot) => !served.some(({ id }) => id === idOf(slot)))
  if (missing.length === 0) return
  const image = await ensureImage(host, work, { signal })
  const exits = watchExits(host, work, 'before it got traffic', signal)
  const made = await host.locks.run(servingKey(work.app.id), () =>
    Promise.all(missing.map((slot) => makeReplica(host, work, image, slot, signal, { outOfTraffic: true }))),
  )
  exits.add(made)
  await exits.race(
    Promise.all(
      made.map(async (container) => {
        const running = await runReplica(host, container, signal)
        const checked = checkedOf(host, work, running, portFor(work, image))
        if (slotOf(container).process !== web) return standFirm(checked, signal)
        const port = await firstAnswer(checked, signal)
        await observe(checked, port, signal)
        await reportContainer(host.platform, container.id, { port })
      }),
    ),
  )
  await moveTraffic(host.platform, { to: missing.map(idOf), from: [] })
  await host.edge.sync()
}

/** Those beyond `replicas` get no new requests, finish those that they have, and go. */
async function shrink(
  host: Host,
  work: DeploymentWork,
  name: string,
  replicas: number,
  signal: AbortSignal,
): Promise<void> {
  const own = await containersOf(host, { appId: work.app.id, deploymentId: work.deployment.id })
  const surplus = own.filter((each) => {
    const { process, replica } = slotOf(each)
    return !isTask(each) && process === name && replica >= replicas
  })
  const ids = surplus.map(({ id }) => id)
  if (ids.length === 0) return
  const { stopGraceMs } = processOf(work.settings, name) ?? work.settings
  await host.locks.run(servingKey(work.app.id), async () => {
    await moveTraffic(host.platform, { to: [], from: ids })
    await host.edge.sync()
    await host.edge.drained(ids, { limitMs: stopGraceMs, signal })
    await removeAll(host, ids, stopGraceMs)
  })
}
