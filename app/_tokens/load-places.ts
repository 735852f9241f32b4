import 'server-only'
import { listApps } from '@/platform/apps.ts'
import type { Team } from '@/platform/model/resources.ts'
import { listProjects } from '@/platform/projects.ts'
import { enter } from '../_shell/load.ts'
import type { TeamPlaces } from './places.ts'

/** What of a team a token can be for. */
export async function loadPlaces(team: Team): Promise<TeamPlaces> {
  const { platform, viewer } = await enter()
  const [projects, apps] = await Promise.all([
    listProjects(platform, viewer, team.id, { limit: 100 }),
    listApps(platform, viewer, { teamId: team.id }, { limit: 100 }),
  ])
  return {
    ...{ id: team.id, name: team.name, role: team.role },
    projects: projects.data.map(({ id, name }) => ({
      ...{ id, name },
      apps: apps.data
        .filter(({ projectId }) => projectId === id)
        .map((app) => ({ id: app.id, name: app.name })),
    })),
  }
}
