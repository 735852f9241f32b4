/** Tells those who look at an app that something about its names is different now. Never throws for want of Redis. */
import { publish, streams } from '../event-log.ts'
import type { Platform } from '../open.ts'

export async function publishDomain(
  platform: Platform,
  { teamId, appId, projectId }: { teamId: string; appId: string; projectId: string },
): Promise<void> {
  await publish(platform, streams.team(teamId), { type: 'domain', appId, projectId })
}

/** The same for every app of the team that has the name; null: a name of Berth's own, which no page of a team shows. */
export async function publishName(
  platform: Platform,
  { name, teamId }: { name: string; teamId: string | null },
): Promise<void> {
  if (teamId === null) return
  const apps = await platform.db.app.findMany({
    where: { project: { teamId }, domains: { some: { name } } },
    select: { id: true, projectId: true },
  })
  for (const { id, projectId } of apps) await publishDomain(platform, { teamId, appId: id, projectId })
}
