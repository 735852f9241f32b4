/** Log drains as the host that keeps the logs sees them. */
import type { DrainedApp } from '../log-drains/formats.ts'
import { openTarget } from '../log-drains/target.ts'
import type { DrainKind, DrainTarget } from '../model/log-drains.ts'
import type { Platform } from '../open.ts'

/** One app's log on its way to one receiver. */
export interface DrainWork {
  drainId: string
  kind: DrainKind
  target: DrainTarget
  app: DrainedApp
  /** ISO 8601; what was written before is not sent. */
  since: string
  /** Number of the last line that was taken; null: it never began. */
  number: number | null
  isFailing: boolean
}

/** All that this host has to send. */
export async function drainsOfHost(platform: Platform, hostId: string): Promise<DrainWork[]> {
  const drains = await platform.db.logDrain.findMany({
    where: { isEnabled: true, team: { deletedAt: null } },
    include: { team: { select: { slug: true } } },
  })
  if (drains.length === 0) return []
  const apps = await platform.db.app.findMany({
    where: { hostId, deletedAt: null, project: { teamId: { in: drains.map(({ teamId }) => teamId) } } },
    select: {
      ...{ id: true, name: true, slug: true, environmentId: true },
      environment: { select: { slug: true } },
      project: { select: { slug: true, teamId: true } },
      drainCursors: { select: { drainId: true, number: true, failingSince: true } },
    },
  })
  return drains.flatMap((drain) => {
    const { environmentIds, appIds } = drain
    const isOfAll = environmentIds.length + appIds.length === 0
    const target = openTarget(platform, drain)
    return apps.flatMap((app) => {
      if (app.project.teamId !== drain.teamId) return []
      if (!isOfAll && !environmentIds.includes(app.environmentId) && !appIds.includes(app.id)) return []
      const cursor = app.drainCursors.find(({ drainId }) => drainId === drain.id)
      const names = { environment: app.environment.slug, project: app.project.slug, team: drain.team.slug }
      return [
        {
          ...{ drainId: drain.id, kind: drain.kind as DrainKind, target },
          app: { id: app.id, name: app.name, slug: app.slug, ...names },
          since: drain.createdAt.toISOString(),
          number: cursor === undefined ? null : Number(cursor.number),
          isFailing: cursor?.failingSince != null,
        },
      ]
    })
  })
}

export interface DrainProgress {
  number: number
  last: number
  sent?: number
  lost?: number
  /** Why the receiver did not take lines; null: it did. */
  problem: string | null
}

/** False where the drain or the app is gone. */
export async function saveDrainProgress(
  platform: Platform,
  { drainId, app }: Pick<DrainWork, 'drainId' | 'app'>,
  { number, last, sent = 0, lost = 0, problem }: DrainProgress,
): Promise<boolean> {
  const now = new Date()
  const rows = await platform.db.$executeRaw`
    INSERT INTO log_drain_cursors AS c ("drainId", "appId", number, last, "sentLines", "lostLines", "sentAt", "failingSince", problem)
    SELECT d.id, a.id, ${BigInt(number)}, ${BigInt(last)}, ${BigInt(sent)}, ${BigInt(lost)}, ${sent > 0 ? now : null}::timestamp,
      ${problem === null ? null : now}::timestamp, ${problem}::text
    FROM log_drains d, apps a WHERE d.id = ${drainId} AND a.id = ${app.id}
    ON CONFLICT ("drainId", "appId") DO UPDATE SET number = EXCLUDED.number, last = EXCLUDED.last,
      "sentLines" = c."sentLines" + EXCLUDED."sentLines", "lostLines" = c."lostLines" + EXCLUDED."lostLines",
      "sentAt" = COALESCE(EXCLUDED."sentAt", c."sentAt"), problem = EXCLUDED.problem,
      "failingSince" = CASE WHEN EXCLUDED.problem IS NULL THEN NULL ELSE COALESCE(c."failingSince", EXCLUDED."failingSince") END`
  return rows > 0
}
