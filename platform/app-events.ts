import { readApp } from './app-view.ts'
import { publish, streams } from './event-log.ts'
import type { DeploymentStatus } from './model/deployment-status.ts'
import type { Failure } from './model/failure.ts'
import type { Platform } from './open.ts'

/** Tells the team's followers how an app stands now. */
export async function publishApp(platform: Platform, appId: string): Promise<void> {
  const app = await readApp(platform, appId)
  if (app === null) return
  const { teamId, projectId, status } = app
  await publish(platform, streams.team(teamId), { type: 'app', appId, projectId, status })
}

export interface StatusChange {
  teamId: string
  appId: string
  deploymentId: string
  number: number
  status: DeploymentStatus
  failure: Failure | null
}

/** Tells the deployment's followers, then the team's. */
export async function publishStatus(platform: Platform, ...changes: StatusChange[]): Promise<void> {
  for (const { teamId, appId, deploymentId, number, status, failure } of changes) {
    await publish(platform, streams.deployment(deploymentId), { type: 'status', status, failure })
    await publish(platform, streams.team(teamId), { type: 'deployment', appId, deploymentId, number, status })
  }
  for (const appId of new Set(changes.map((change) => change.appId))) await publishApp(platform, appId)
}
