/**
 * `queued → building → pulling → releasing → starting → checking → routing → live → superseded`, or `failed`, or
 * `canceled`. `live` is said only after the containers answered for their whole observation window, traffic was
 * switched, and the old containers were drained.
 */
export const deploymentStatuses = [
  'queued',
  'building',
  'pulling',
  'releasing',
  'starting',
  'checking',
  'routing',
  'live',
  'superseded',
  'failed',
  'canceled',
] as const

export type DeploymentStatus = (typeof deploymentStatuses)[number]

const order: readonly DeploymentStatus[] = [
  'queued',
  'building',
  'pulling',
  'releasing',
  'starting',
  'checking',
  'routing',
  'live',
]

/** Nothing changes any more: a status never leaves a terminal one. `live` is not terminal: it is superseded later. */
export function isTerminal(status: DeploymentStatus): boolean {
  return status === 'superseded' || status === 'failed' || status === 'canceled'
}

/** Somebody still works, or will work, on it. */
export function isInProgress(status: DeploymentStatus): boolean {
  return !isTerminal(status) && status !== 'live'
}

/** Up to the moment of `live` a deployment can be called off. */
export function canCancel(status: DeploymentStatus): boolean {
  return isInProgress(status)
}

/** Whether a deployment may go from one status to the other. Steps may be skipped, never repeated. */
export function canBecome(from: DeploymentStatus, to: DeploymentStatus): boolean {
  if (isTerminal(from) || from === to) return false
  if (from === 'live') return to === 'superseded'
  if (to === 'failed' || to === 'canceled') return true
  if (to === 'superseded') return from === 'queued'
  return order.indexOf(to) > order.indexOf(from)
}
