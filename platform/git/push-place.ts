import { notFound, type Viewer } from '../access.ts'
import { type AppPlace, appAccess } from '../app-access.ts'
import type { Platform } from '../open.ts'
import { findApp, findProject } from '../places.ts'

export interface PushPlace {
  viewer: Viewer
  app: AppPlace
  url: string | null
  /** Pushes of these are deployed. */
  branches: string[]
}

/** The app that a push is for. Throws `not-found`, and `forbidden` where the token may not deploy it. */
export async function pushPlace(
  platform: Platform,
  viewer: Viewer,
  names: { team: string; project: string; app: string },
): Promise<PushPlace> {
  const team = await platform.db.team.findUnique({ where: { slug: names.team }, select: { id: true } })
  if (team === null) throw notFound('team')
  const project = await findProject(platform, viewer, team.id, names.project)
  const { id, urls } = await findApp(platform, viewer, project.id, names.app)
  const app = await appAccess(platform, viewer, id, 'deployment.create')
  const source = await platform.db.gitSource.findUnique({ where: { appId: id } })
  const branches = source?.refKind === 'branch' ? [source.refName] : ['main', 'master']
  return { viewer, app, url: urls[0] ?? null, branches }
}
