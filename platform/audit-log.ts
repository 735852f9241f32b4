import {
  type InstallationAction,
  requireInstallation,
  requireTeam,
  type TeamAction,
  type Viewer,
} from './access.ts'
import { record } from './audit.ts'

import { contains } from './contains.ts'
import type { Prisma } from './generated/prisma/client.ts'
import { isId } from './model/ids.ts'
import { type AuditFilterInput, auditFilterSchema, type PageInput } from './model/inputs.ts'
import type { AuditEvent, Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { validate } from './validate.ts'

/** Whose log: a team's, or everything that happened in the installation. */
export type AuditScope = { teamId: string } | 'installation'

/** Newest first. Throws `not-found` and `forbidden` as requireTeam() and requireInstallation() do. */
export async function listAudit(
  platform: Platform,
  viewer: Viewer,
  scope: AuditScope,
  filter: AuditFilterInput = {},
  pageInput?: PageInput,
): Promise<Page<AuditEvent>> {
  await requireAudit(platform, viewer, scope)
  const page = parsePage(pageInput)
  const rows = await platform.db.auditEvent.findMany({
    where: { AND: [whereOf(scope, filter), { id: { lt: afterId(page) } }] },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  const names = await teamNames(platform, rows)
  return toPage(
    rows,
    page.limit,
    (row) => row.id,
    (row) => show(row, names),
  )
}

const batchSize = 500

/**
 * All entries that the filter lets through, newest first, read as fast as they are taken. That somebody took them away is
 * written down first. Throws before the first entry, as listAudit() does.
 */
export async function exportAudit(
  platform: Platform,
  viewer: Viewer,
  scope: AuditScope,
  filter: AuditFilterInput,
  format: string,
): Promise<AsyncIterable<AuditEvent[]>> {
  await requireAudit(platform, viewer, scope)
  const where = whereOf(scope, filter)
  const teamId = scope === 'installation' ? null : scope.teamId
  await platform.db.$transaction((tx) =>
    record(tx, viewer, { teamId, action: 'audit.export', detail: { format, ...filter } }),
  )
  return batches(platform, where)
}

async function* batches(
  platform: Platform,
  where: Prisma.AuditEventWhereInput,
): AsyncGenerator<AuditEvent[], void, undefined> {
  let before: string | undefined
  for (;;) {
    const rows = await platform.db.auditEvent.findMany({
      where: { AND: [where, { id: { lt: before } }] },
      orderBy: { id: 'desc' },
      take: batchSize,
    })
    const names = await teamNames(platform, rows)
    if (rows.length > 0) yield rows.map((row) => show(row, names))
    if (rows.length < batchSize) return
    before = rows.at(-1)?.id
  }
}

async function requireAudit(platform: Platform, viewer: Viewer, scope: AuditScope): Promise<void> {
  if (scope === 'installation')
    await requireInstallation(platform, viewer, 'installation.read-audit' satisfies InstallationAction)
  else await requireTeam(platform, viewer, scope.teamId, 'audit.read' satisfies TeamAction)
}

function whereOf(scope: AuditScope, input: AuditFilterInput): Prisma.AuditEventWhereInput {
  const { actor, action, target, since, until } = validate(auditFilterSchema, input)
  const all: Prisma.AuditEventWhereInput[] = []
  if (scope !== 'installation') all.push({ teamId: scope.teamId })
  if (actor !== undefined) all.push(whereActor(actor))
  // An area, such as app, stands for all that begins with `app.`.
  if (action !== undefined) all.push({ OR: [{ action }, { action: { startsWith: `${action}.` } }] })
  if (target !== undefined)
    all.push({
      OR: [{ targetId: target }, { targetType: target }, { targetName: contains(target) }],
    })
  if (since !== undefined) all.push({ createdAt: { gte: new Date(since) } })
  if (until !== undefined) all.push({ createdAt: { lt: new Date(until) } })
  return { AND: all }
}

/** A person's id finds what her tokens did, too. */
function whereActor(actor: string): Prisma.AuditEventWhereInput {
  if (isId('user', actor)) return { actorUserId: actor }
  if (isId('token', actor)) return { actor: `token:${actor}` }
  if (actor === 'operator' || actor === 'system' || actor === 'anonymous') return { actor }
  return { actorName: contains(actor) }
}

interface Row {
  id: string
  teamId: string | null
  actor: string
  actorName: string
  actorUserId: string | null
  action: string
  targetType: string | null
  targetId: string | null
  targetName: string | null
  detail: unknown
  changes: unknown
  address: string | null
  userAgent: string | null
  createdAt: Date
}

/** Names of the teams as they are called now; one that is gone has none. */
async function teamNames(platform: Platform, rows: Row[]): Promise<Map<string, string>> {
  const ids = [...new Set(rows.flatMap(({ teamId }) => teamId ?? []))]
  const teams = await platform.db.team.findMany({
    where: { id: { in: ids } },
    select: { id: true, name: true },
  })
  return new Map(teams.map(({ id, name }) => [id, name]))
}

function show(row: Row, names: ReadonlyMap<string, string>): AuditEvent {
  const [actorType, actorId = null] = row.actor.split(':')
  return {
    id: row.id,
    teamId: row.teamId,
    teamName: row.teamId === null ? null : (names.get(row.teamId) ?? null),
    actor: row.actorName,
    actorType: actorType as AuditEvent['actorType'],
    actorId,
    actorUserId: row.actorUserId,
    action: row.action,
    targetType: row.targetType,
    targetId: row.targetId,
    targetName: row.targetName,
    changes: (row.changes ?? []) as AuditEvent['changes'],
    detail: (row.detail ?? {}) as AuditEvent['detail'],
    address: row.address,
    userAgent: row.userAgent,
    createdAt: row.createdAt.toISOString(),
  }
}
