import { scopeOf, type Viewer } from './access.ts'
import type { TeamEvent } from './model/events.ts'
import { isNarrowed } from './model/scopes.ts'
import type { Platform } from './open.ts'
import { type Visible, visibleIn } from './visible.ts'

/** Which of a team's events are for one who follows them: not those of projects and apps that are not his to see. */
export interface Sight {
  /** Looks anew at what the caller may see. */
  renew(): Promise<void>
  shows(event: TeamEvent): Promise<boolean>
}

export function createSight(platform: Platform, viewer: Viewer, teamId: string): Sight {
  let visible: Visible | null = null
  const projects = new Map<string, string | null>()

  /** An app never moves to another project. */
  async function projectOf(appId: string): Promise<string | null> {
    const known = projects.get(appId)
    if (known !== undefined) return known
    const app = await platform.db.app.findUnique({ where: { id: appId }, select: { projectId: true } })
    const projectId = app?.projectId ?? null
    projects.set(appId, projectId)
    return projectId
  }

  return {
    async renew() {
      visible = await visibleIn(platform, viewer, teamId)
    },
    async shows(event) {
      if (visible === null) return false
      if (visible.isAll) return true
      if ('appId' in event) {
        const projectId = 'projectId' in event ? event.projectId : await projectOf(event.appId)
        return projectId !== null && visible.seesApp({ appId: event.appId, projectId })
      }
      if ('projectId' in event) return visible.roleAt(event.projectId) !== null
      // Of the team itself: a token that is for some things of it follows those alone.
      return !isNarrowed(scopeOf(viewer))
    },
  }
}
