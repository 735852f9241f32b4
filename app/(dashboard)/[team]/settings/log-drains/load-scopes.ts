import 'server-only'
import { listApps } from '@/platform/apps.ts'
import type { Team } from '@/platform/model/resources.ts'
import { listProjects } from '@/platform/projects.ts'
import { enter } from '../../../../_shell/load.ts'
import type { DrainScope } from './drain-scope.ts'

/** What of the team a drain can be for: each environment and each app. */
export async function loadScopes(team: Team): Promise<DrainScope[]> {
  const { platform, viewer } = await enter()
  const [projects, apps] = await Promise.all([
    listProjects(platform, viewer, team.id, { limit: 100 }),
    listApps(platform, viewer, { teamId: team.id }, { limit: 100 }),
  ])
  return projects.data.flatMap(({ id, name, environments }) => [
    ...environments.map((each) => ({
      id: each.id,
      kind: 'environment' as const,
      name: `${name} · ${each.name}`,
    })),
    ...apps.data
      .filter(({ projectId }) => projectId === id)
      .map((app) => ({ id: app.id, kind: 'app' as const, name: `${name} · ${app.name}` })),
  ])
}
