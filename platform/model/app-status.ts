import type { DeploymentStatus } from './deployment-status.ts'
import { isInProgress } from './deployment-status.ts'

export const appStatuses = [
  'empty',
  'deploying',
  'running',
  'degraded',
  'stopped',
  'failed',
  'deleting',
] as const

export type AppStatus = (typeof appStatuses)[number]

/**
 * One word for an app out of what is wanted and what is.
 * `degraded`: it should run, but not every replica of its live deployment does.
 * `failed`: it has never been live and its last deployment failed.
 */
export function appStatus(app: {
  desiredState: 'running' | 'stopped' | 'deleted'
  latestDeployment: DeploymentStatus | null
  hasLive: boolean
  runningContainers: number
  wantedContainers: number
}): AppStatus {
  if (app.desiredState === 'deleted') return 'deleting'
  if (app.latestDeployment !== null && isInProgress(app.latestDeployment)) return 'deploying'
  if (app.desiredState === 'stopped') return 'stopped'
  if (app.hasLive) return app.runningContainers >= app.wantedContainers ? 'running' : 'degraded'
  return app.latestDeployment === 'failed' ? 'failed' : 'empty'
}
