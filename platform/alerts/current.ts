/** What is pending or fires at the moment. */
import { notFound, requireInstallation, requireTeam, type Viewer } from '../access.ts'
import { appAccess } from '../app-access.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { Alert, AlertRuleName } from '../model/alerts.ts'
import type { Platform } from '../open.ts'
import { visibleIn } from '../visible.ts'
import { rounded, showStanding } from './keep.ts'
import { type Subject, settingsOf } from './settings.ts'

/** Of one app. What fires comes first, then what is so for longest. */
export async function listAppAlerts(platform: Platform, viewer: Viewer, appId: string): Promise<Alert[]> {
  await appAccess(platform, viewer, appId, 'alert.read')
  return current(platform, { appId })
}

/** Of all apps of a team that the caller may see. */
export async function listTeamAlerts(platform: Platform, viewer: Viewer, teamId: string): Promise<Alert[]> {
  await requireTeam(platform, viewer, teamId, 'alert.read')
  const { apps } = await visibleIn(platform, viewer, teamId)
  return current(platform, { app: { ...apps, project: { teamId }, desiredState: { not: 'deleted' } } })
}

/** Of one host, for administrators. */
export async function listHostAlerts(platform: Platform, viewer: Viewer, hostId: string): Promise<Alert[]> {
  await requireInstallation(platform, viewer, 'installation.read-hosts')
  if ((await platform.db.host.count({ where: { id: hostId } })) === 0) throw notFound('host')
  return current(platform, { hostId })
}

const most = 1_000

async function current({ db }: Platform, where: Prisma.AlertWhereInput): Promise<Alert[]> {
  const rows = await db.alert.findMany({
    where: { ...where, state: { in: ['pending', 'firing'] } },
    // "firing" comes before "pending".
    orderBy: [{ state: 'asc' }, { since: 'asc' }],
    take: most,
    include: {
      app: { select: { id: true, name: true, slug: true, projectId: true } },
      host: { select: { id: true, name: true } },
    },
  })
  const subjects = rows.map(
    ({ subject, appId }): Subject => ({ subject: appId === null ? 'host' : 'app', id: subject }),
  )
  const rules = await settingsOf(db, subjects)
  return rows.flatMap((row) => {
    const { state, since, seenAt, value, about } = showStanding(row)
    const rule = rules.get(row.subject)?.find(({ rule }) => rule === row.rule)
    if (rule === undefined || state === 'ok') return []
    const { threshold, forSeconds } = rule.setting
    return [
      {
        ...{ rule: row.rule as AlertRuleName, state, threshold, forSeconds, about },
        since: since.toISOString(),
        seenAt: seenAt?.toISOString() ?? null,
        value: rounded(value),
        ...{ app: row.app, host: row.host },
      },
    ]
  })
}
