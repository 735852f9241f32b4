import { personBehind, scopeOf, standingIn, type Viewer, weaker } from './access.ts'
import { type Role, roleIncludes } from './model/roles.ts'
import { isNarrowed, reachesApp, reachesProject } from './model/scopes.ts'
import type { Platform } from './open.ts'

/** What of a team's projects the caller sees: for lists and streams, which leave the rest out. */
export interface Visible {
  /** Nothing of the team is left out. */
  isAll: boolean
  /** Null: the project is not the caller's to see. */
  roleAt(projectId: string): Role | null
  seesApp(app: { appId: string; projectId: string }): boolean
  /** Conditions for the database. */
  projects: {
    id?: { notIn: string[] }
    OR?: ({ id: { in: string[] } } | { apps: { some: { id: { in: string[] } } } })[]
  }
  apps: {
    projectId?: { notIn: string[] }
    OR?: ({ projectId: { in: string[] } } | { id: { in: string[] } })[]
  }
}

/** Call it after requireTeam(). Who is not in the team sees nothing. */
export async function visibleIn(platform: Platform, viewer: Viewer, teamId: string): Promise<Visible> {
  const standing = await standingIn(platform, viewer, teamId)
  const scope = scopeOf(viewer)
  const roles = standing === null ? new Map() : await ownRoles(platform, viewer, teamId, standing.own)
  const hidden = [...roles].flatMap(([projectId, role]) => (role === null ? [projectId] : []))
  const { projectIds, appIds } = { projectIds: [...scope.projectIds], appIds: [...scope.appIds] }
  const around = await projectsAround(platform, teamId, appIds)
  const isWhole = standing !== null && !isNarrowed(scope)

  function roleAt(projectId: string): Role | null {
    if (standing === null) return null
    const own = roles.get(projectId) ?? (roles.has(projectId) ? null : standing.own)
    return own === null ? null : weaker(own, standing.most)
  }

  return {
    isAll: isWhole && hidden.length === 0,
    roleAt: (projectId) =>
      reachesProject(scope, projectId) || around.has(projectId) ? roleAt(projectId) : null,
    seesApp: (app) => reachesApp(scope, app) && roleAt(app.projectId) !== null,
    projects: {
      ...(hidden.length === 0 ? {} : { id: { notIn: hidden } }),
      ...(isWhole ? {} : { OR: [{ id: { in: projectIds } }, { apps: { some: { id: { in: appIds } } } }] }),
    },
    apps: {
      ...(hidden.length === 0 ? {} : { projectId: { notIn: hidden } }),
      ...(isWhole ? {} : { OR: [{ projectId: { in: projectIds } }, { id: { in: appIds } }] }),
    },
  }
}

/** A token for an app sees the project around it. */
async function projectsAround(platform: Platform, teamId: string, appIds: string[]): Promise<Set<string>> {
  if (appIds.length === 0) return new Set()
  const rows = await platform.db.app.findMany({
    where: { id: { in: appIds }, project: { teamId } },
    select: { projectId: true },
  })
  return new Set(rows.map(({ projectId }) => projectId))
}

async function ownRoles(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  own: Role,
): Promise<Map<string, Role | null>> {
  const userId = personBehind(viewer)
  if (userId === null || roleIncludes(own, 'admin')) return new Map()
  const rows = await platform.db.projectAccess.findMany({ where: { userId, project: { teamId } } })
  return new Map(rows.map(({ projectId, role }) => [projectId, role]))
}
