/** Which containers of an app's `web` get what comes from outside. */
import type { DeploymentStatus } from '../model/deployment-status.ts'

export interface ServingContainer {
  id: string
  deploymentId: string
  outOfTraffic: boolean
}

/**
 * Those of the live deployment; while a deployment's status is `routing`, its containers take over from those of the
 * live one, batch by batch (Container.outOfTraffic). A deployment that fails then gives it all back to those that are
 * left. Of an app that nothing serves yet: those of the deployment being checked. `containers`: those that answer.
 */
export function servingContainers<Container extends ServingContainer>(
  live: string | null,
  deployments: readonly { id: string; status: DeploymentStatus }[],
  containers: readonly Container[],
): Container[] {
  const inStatus = (wanted: DeploymentStatus) => deployments.find(({ status }) => status === wanted)?.id
  const routing = inStatus('routing')
  const of = (serving: (string | null | undefined)[], evenOutOfTraffic: boolean) =>
    containers.filter(
      ({ deploymentId, outOfTraffic }) =>
        serving.includes(deploymentId) && (evenOutOfTraffic || !outOfTraffic),
    )
  const candidates = [
    routing === undefined ? [] : of([routing, live], false),
    of([live], false),
    of([live], true),
    of([routing ?? inStatus('checking')], true),
  ]
  return candidates.find((list) => list.length > 0) ?? []
}
