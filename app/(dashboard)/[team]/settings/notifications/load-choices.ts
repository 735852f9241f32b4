import { listMembers } from '@/platform/members.ts'
import type { Team } from '@/platform/model/resources.ts'
import { enter } from '../../../../_shell/load.ts'
import { loadPlaces } from '../../../../_tokens/load-places.ts'
import type { TeamPlaces } from '../../../../_tokens/places.ts'

export interface ChannelChoices {
  team: TeamPlaces
  people: { id: string; name: string }[]
}

/** What a channel may be for, and whom it may write to. */
export async function loadChoices(team: Team): Promise<ChannelChoices> {
  const { platform, viewer } = await enter()
  const [members, places] = await Promise.all([
    listMembers(platform, viewer, team.id, { limit: 100 }),
    loadPlaces(team),
  ])
  return { team: places, people: members.data.map(({ userId, name }) => ({ id: userId, name })) }
}
