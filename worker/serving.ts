import type { Container } from '../engine/index.ts'
import type { RecoveryCause } from '../platform/model/app-event-kinds.ts'
import type { DeploymentStatus } from '../platform/model/deployment-status.ts'
import { emitAppEvent } from '../platform/timeline.ts'
import { type DeploymentWork, loadDeployment } from '../platform/worker/deployments.ts'
import { desiredApp } from '../platform/worker/desired-state.ts'
import { containerId, portFor, type Slot, slotsOf } from './container-spec.ts'
import { find, makeReplica, runReplica } from './containers.ts'
import { checkedOf, firstAnswer } from './health/check.ts'
import type { Host } from './host.ts'
import { ensureImage } from './images.ts'
import { servingKey } from './locks.ts'
import { joinTraffic } from './traffic.ts'

/** The engine starts again what exits by itself, with a growing delay of at most a minute; what still lies then, lies. */
const engineRestartsWithinMs = 70_000

/**
 * Makes the containers of an app's live deployment that are missing, and starts those that lie. A deployment that is
 * replacing them is left alone. May be called at any time.
 */
export async function mendServing(
  host: Host,
  appId: string,
  signal: AbortSignal,
  { evenJustEnded = false }: { evenJustEnded?: boolean } = {},
): Promise<void> {
  await host.locks.run(servingKey(appId), async () => {
    const app = await desiredApp(host.platform, host.id, appId)
    if (app?.desiredState !== 'running' || app.liveDeploymentId === null) return
    if (app.inProgress.some(({ status }) => isReplacing(status, app.hasVolumes))) return
    const work = await loadDeployment(host.platform, app.liveDeploymentId)
    if (work === null) return
    const tell = (cause: RecoveryCause, slot: Slot) =>
      emitAppEvent(host.platform, appId, { kind: 'recovery.mended', cause, ...slot })
    for (const slot of Object.entries(app.replicas).flatMap(([process, count]) => slotsOf(process, count))) {
      const container = await find(host, containerId(work.deployment.id, slot))
      if (container === null) {
        // An app that was stopped and is deployed anew needs no old containers on the way.
        if (app.inProgress.length === 0) {
          await make(host, work, slot, signal)
          await tell('container-missing', slot)
        }
      } else if (lies(container) || (evenJustEnded && container.status === 'exited')) {
        host.log.info({ container: container.id }, `a container of ${app.slug} is started again`)
        await runReplica(host, container, signal)
        await tell('container-stopped', slot)
      }
    }
  })
}

/** One whose volumes are to be free stops what serves before it starts. */
function isReplacing(status: DeploymentStatus, stopsFirst: boolean): boolean {
  return status === 'routing' || (stopsFirst && (status === 'starting' || status === 'checking'))
}

async function make(host: Host, work: DeploymentWork, slot: Slot, signal: AbortSignal): Promise<void> {
  const image = await ensureImage(host, work, { isTrusted: true, signal })
  const container = await makeReplica(host, work, image, slot, signal)
  await runReplica(host, container, signal)
  host.log.info({ container: container.id }, `a container of ${work.app.slug} is there again`)
}

/** Whether nobody else will start it. */
export function lies(container: Container): boolean {
  if (container.status === 'running') return false
  if (container.status === 'created' || container.finishedAt === null) return true
  return Date.now() - Date.parse(container.finishedAt) > engineRestartsWithinMs
}

/**
 * Waits until a running container of a live deployment answers, and lets traffic to it again. Gives up, to be asked
 * again, when it does not answer within its start period or ends.
 */
export async function untilReachable(host: Host, container: Container, deploymentId: string): Promise<void> {
  const work = await loadDeployment(host.platform, deploymentId)
  if (work === null) return
  const image = await host.engine.images.inspect(container.image)
  const over = new AbortController()
  const ended = host.engine.containers
    .wait(container.id, { signal: over.signal })
    .catch(() => undefined)
    .then(() => over.abort())
  try {
    const checked = checkedOf(host, work, container, portFor(work, image))
    const port = await firstAnswer(checked, over.signal)
    if (await joinTraffic(host, container.id, port)) await host.edge.sync()
  } catch (error) {
    if (!over.signal.aborted) throw error
  } finally {
    over.abort()
    await ended
  }
}
