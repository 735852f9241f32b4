import 'server-only'
import type { Team } from '@/platform/model/resources.ts'
import { listPlaces } from '@/platform/team-places.ts'
import { enter } from '../_shell/load.ts'
import type { TeamPlaces } from './places.ts'

/** What of a team a token can be for. */
export async function loadPlaces(team: Team): Promise<TeamPlaces> {
  const { platform, viewer } = await enter()
  const projects = await listPlaces(platform, viewer, team.id)
  return {
    ...{ id: team.id, name: team.name, role: team.role },
    projects: projects.map(({ id, name, apps }) => ({ id, name, apps })),
  }
}
