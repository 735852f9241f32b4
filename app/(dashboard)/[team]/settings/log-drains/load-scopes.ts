import 'server-only'
import type { Team } from '@/platform/model/resources.ts'
import { listPlaces } from '@/platform/team-places.ts'
import { enter } from '../../../../_shell/load.ts'
import type { DrainScope } from './drain-scope.ts'

/** What of the team a drain can be for: each environment and each app. */
export async function loadScopes(team: Team): Promise<DrainScope[]> {
  const { platform, viewer } = await enter()
  const projects = await listPlaces(platform, viewer, team.id)
  return projects.flatMap(({ name, environments, apps }) => [
    ...environments.map((each) => ({
      id: each.id,
      kind: 'environment' as const,
      name: `${name} · ${each.name}`,
    })),
    ...apps.map((app) => ({ id: app.id, kind: 'app' as const, name: `${name} · ${app.name}` })),
  ])
}
