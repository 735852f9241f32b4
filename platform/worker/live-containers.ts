import type { Platform } from '../open.ts'

/** A container that serves: of the live deployment of an app that is wanted running. */
export interface LiveContainer {
  id: string
  appId: string
  deploymentId: string
  /** Of the deployment. */
  number: number
  process: string
  replica: number
}

/** Null for all others: what is being deployed, what was, what does one thing and ends. */
export async function liveContainer(platform: Platform, id: string): Promise<LiveContainer | null> {
  const row = await platform.db.container.findUnique({
    where: { id },
    select: {
      appId: true,
      process: true,
      replica: true,
      app: { select: { liveDeploymentId: true, desiredState: true } },
      deployment: { select: { id: true, number: true } },
    },
  })
  if (row === null || row.app.desiredState !== 'running') return null
  const { appId, process, replica, deployment } = row
  if (row.app.liveDeploymentId !== deployment.id) return null
  const { id: deploymentId, number } = deployment
  return { id, appId, deploymentId, number, process, replica }
}
