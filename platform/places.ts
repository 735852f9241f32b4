import { notFound, requireTeam, type Viewer } from './access.ts'
import { getApp } from './apps.ts'
import { getDeployment } from './deployments.ts'
import type { App, Deployment, Project } from './model/resources.ts'
import type { Platform } from './open.ts'
import { getProject } from './projects.ts'

/** The project of a team by its slug, as addresses of the dashboard name it. Throws `not-found`. */
export async function findProject(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  slug: string,
): Promise<Project> {
  await requireTeam(platform, viewer, teamId, 'project.read', 'project')
  const row = await platform.db.project.findUnique({
    where: { teamId_slug: { teamId, slug } },
    select: { id: true },
  })
  if (row === null) throw notFound('project')
  return getProject(platform, viewer, row.id)
}

/** The app of a project by its slug; of several in different environments the oldest. Throws `not-found`. */
export async function findApp(
  platform: Platform,
  viewer: Viewer,
  projectId: string,
  slug: string,
): Promise<App> {
  const row = await platform.db.app.findFirst({
    where: { projectId, slug },
    orderBy: { id: 'asc' },
    select: { id: true },
  })
  if (row === null) throw notFound('app')
  return getApp(platform, viewer, row.id)
}

/** The deployment of an app by its number. Throws `not-found`. */
export async function findDeployment(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  number: number,
): Promise<Deployment> {
  const known = Number.isSafeInteger(number) && number > 0 && number < 2 ** 31
  const row = known
    ? await platform.db.deployment.findUnique({
        where: { appId_number: { appId, number } },
        select: { id: true },
      })
    : null
  if (row === null) throw notFound('deployment')
  return getDeployment(platform, viewer, row.id)
}
