import { notFound, type ProjectAction, requireProject, type Viewer } from './access.ts'
import type { Platform } from './open.ts'

export interface AppPlace {
  appId: string
  name: string
  projectId: string
  environmentId: string
  teamId: string
  hostId: string
  desiredState: 'running' | 'stopped' | 'deleted'
}

/** Where an app belongs, if the caller may do this to it. Throws `not-found` or `forbidden`. */
export async function appAccess(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  action: ProjectAction,
): Promise<AppPlace> {
  const place = await placeOf(platform, appId)
  if (place === null) throw notFound('app')
  await requireProject(platform, viewer, place, action, 'app')
  return place
}

/** The same for a deployment: whoever may see the app may see it. */
export async function deploymentAccess(
  platform: Platform,
  viewer: Viewer,
  deploymentId: string,
  action: ProjectAction,
): Promise<AppPlace> {
  const deployment = await platform.db.deployment.findUnique({
    where: { id: deploymentId },
    select: { appId: true },
  })
  const place = deployment === null ? null : await placeOf(platform, deployment.appId)
  if (place === null) throw notFound('deployment')
  await requireProject(platform, viewer, place, action, 'deployment')
  return place
}

/** Where an app belongs, without asking who wants to know. */
export async function placeOf(platform: Platform, appId: string): Promise<AppPlace | null> {
  const app = await platform.db.app.findUnique({
    where: { id: appId },
    select: {
      name: true,
      projectId: true,
      environmentId: true,
      hostId: true,
      desiredState: true,
      project: { select: { teamId: true } },
    },
  })
  if (app === null) return null
  const { project, hostId, ...rest } = app
  return { appId, ...rest, teamId: project.teamId, hostId: hostId ?? platform.config.hostId }
}
