import { isEngineError } from '../engine/index.ts'
import { reportContainer } from '../platform/worker/containers.ts'
import { loadDeployment } from '../platform/worker/deployments.ts'
import type { DesiredApp } from '../platform/worker/desired-state.ts'
import { containersOf, removeContainer } from './containers.ts'
import type { Host } from './host.ts'

export const usualGraceMs = 10_000

/** Takes the app off the edge, ends and removes all its containers, and its network when no other app is on it. */
export async function removeApp(host: Host, app: DesiredApp): Promise<void> {
  await host.edge
    .sync()
    .catch((error) => host.log.warn({ err: error }, 'the edge could not be told of a stop'))
  const live =
    app.liveDeploymentId === null ? null : await loadDeployment(host.platform, app.liveDeploymentId)
  const graceMs = live?.settings.stopGraceMs ?? usualGraceMs
  const withRuns = app.desiredState === 'deleted'
  const present = await containersOf(host, { appId: app.appId, withRuns })
  await Promise.all(present.map(({ id }) => removeContainer(host, id, graceMs)))
  const known = new Set(present.map(({ id }) => id))
  for (const { id } of app.containers)
    if (!known.has(id)) await reportContainer(host.platform, id, { state: 'removed', port: null })
  if (withRuns) {
    await host.engine.builder.dropCache(app.appId)
    await host.engine.git.dropRepository(app.appId)
  }
  await host.engine.networks.remove(app.environmentId).catch((error) => {
    if (!isEngineError(error, 'failed-precondition')) throw error
  })
}
