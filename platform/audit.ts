import { requireTeam, type Viewer } from './access.ts'
import type { Transaction } from './database.ts'
import { newId } from './model/ids.ts'
import type { PageInput } from './model/inputs.ts'
import type { AuditEvent, Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'

export interface AuditEntry {
  teamId: string | null
  /** Such as app.delete: an action of the policy table. */
  action: string
  target?: { type: string; id: string; name: string }
  /** Never holds a secret or a variable's value: names and counts only. */
  detail?: Record<string, string | number | boolean | null | string[]>
}

/** Writes down who did what, in the transaction that does it: what is not recorded did not happen. */
export async function record(tx: Transaction, viewer: Viewer, entry: AuditEntry): Promise<void> {
  const { actor, actorName } = await actorOf(tx, viewer)
  await tx.auditEvent.create({
    data: {
      id: newId('audit'),
      teamId: entry.teamId,
      actor,
      actorName,
      action: entry.action,
      targetType: entry.target?.type ?? null,
      targetId: entry.target?.id ?? null,
      targetName: entry.target?.name ?? null,
      ...(entry.detail === undefined ? {} : { detail: entry.detail }),
    },
  })
}

async function actorOf(tx: Transaction, viewer: Viewer): Promise<{ actor: string; actorName: string }> {
  switch (viewer.kind) {
    case 'operator':
      return { actor: 'operator', actorName: 'Operator' }
    case 'system':
      return { actor: 'system', actorName: 'Berth' }
    case 'user': {
      const user = await tx.user.findUnique({ where: { id: viewer.userId }, select: { name: true } })
      return { actor: `user:${viewer.userId}`, actorName: user?.name ?? 'Deleted user' }
    }
    case 'token': {
      const token = await tx.apiToken.findUnique({
        where: { id: viewer.tokenId },
        select: { name: true, user: { select: { name: true } } },
      })
      const owner = token?.user ? ` of ${token.user.name}` : ''
      return { actor: `token:${viewer.tokenId}`, actorName: `${token?.name ?? 'Deleted token'}${owner}` }
    }
  }
}

/** Newest first. */
export async function listAudit(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  pageInput?: PageInput,
): Promise<Page<AuditEvent>> {
  await requireTeam(platform, viewer, teamId, 'audit.read')
  const page = parsePage(pageInput)
  const rows = await platform.db.auditEvent.findMany({
    where: { teamId, id: { lt: afterId(page) } },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  return toPage(
    rows,
    page.limit,
    (row) => row.id,
    (row) => ({
      id: row.id,
      actor: row.actorName,
      action: row.action,
      targetType: row.targetType,
      targetId: row.targetId,
      targetName: row.targetName,
      createdAt: row.createdAt.toISOString(),
    }),
  )
}
