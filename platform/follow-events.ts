import { requireTeam, type Viewer } from './access.ts'
import { deploymentAccess } from './app-access.ts'
import { type Entry, type FollowOptions, follow, streams } from './event-log.ts'
import type { DeploymentEvent, TeamEvent } from './model/events.ts'
import type { Platform } from './open.ts'
import { createSight } from './sight.ts'
import { whileAllowed } from './watch-right.ts'

/** What changes in a team; from now on unless `after` says otherwise. Ends when the access does. */
export async function followTeam(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  options: FollowOptions,
): Promise<AsyncIterable<Entry<TeamEvent>>> {
  const sight = createSight(platform, viewer, teamId)
  const check = async () => {
    await requireTeam(platform, viewer, teamId, 'team.read')
    await sight.renew()
  }
  await check()
  const from = { ...options, after: options.after ?? '$' }
  return whileAllowed(platform, viewer, check, from, (inner) =>
    only(follow(platform, streams.team(teamId), inner), ({ event }) => sight.shows(event)),
  )
}

async function* only<Item>(
  items: AsyncIterable<Item>,
  isWanted: (item: Item) => Promise<boolean>,
): AsyncGenerator<Item, void, undefined> {
  for await (const item of items) if (await isWanted(item)) yield item
}

/** Everything that happened and happens to one deployment, from its beginning. */
export async function followDeployment(
  platform: Platform,
  viewer: Viewer,
  deploymentId: string,
  options: FollowOptions,
): Promise<AsyncIterable<Entry<DeploymentEvent>>> {
  const check = () => deploymentAccess(platform, viewer, deploymentId, 'deployment.read')
  await check()
  const stream = streams.deployment(deploymentId)
  return whileAllowed(platform, viewer, check, options, (inner) => follow(platform, stream, inner))
}
