import { requireTeam, type Viewer } from './access.ts'
import { appColumns, showApps } from './app-view.ts'
import type { App } from './model/resources.ts'
import type { Platform } from './open.ts'
import { visibleIn } from './visible.ts'

/** Up to `each` apps of each of these projects of a team, the oldest first: what a card of a project shows. */
export async function listFirstApps(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  { projectIds, each }: { projectIds: string[]; each: number },
): Promise<App[]> {
  await requireTeam(platform, viewer, teamId, 'app.read')
  const visible = await visibleIn(platform, viewer, teamId)
  // A nested `take` would read every app of every project.
  const first = await platform.db.$queryRaw<{ id: string }[]>`
    SELECT first.id FROM unnest(${projectIds}::text[]) AS wanted(id)
    CROSS JOIN LATERAL (
      SELECT id FROM apps WHERE "projectId" = wanted.id ORDER BY id LIMIT ${each}
    ) AS first`
  const rows = await platform.db.app.findMany({
    where: { AND: [visible.apps, { project: { teamId } }, { id: { in: first.map(({ id }) => id) } }] },
    include: appColumns,
    orderBy: { id: 'asc' },
  })
  return showApps(platform, rows)
}
