import { requireInstallation, type Viewer } from './access.ts'
import { record } from './audit.ts'
import { type AuditRetentionInput, auditRetentionSchema } from './model/inputs.ts'
import type { Platform } from './open.ts'
import { validate } from './validate.ts'

const id = 'installation'

/** For how many days entries of the audit log are kept; null: for ever. */
export async function getAuditRetention(
  platform: Platform,
  viewer: Viewer,
): Promise<{ days: number | null }> {
  await requireInstallation(platform, viewer, 'installation.read-audit')
  const row = await platform.db.installation.findUnique({ where: { id }, select: { auditDays: true } })
  return { days: row?.auditDays ?? null }
}

/** What is older than the new time goes within an hour, and does not come back. */
export async function setAuditRetention(
  platform: Platform,
  viewer: Viewer,
  input: AuditRetentionInput,
): Promise<{ days: number | null }> {
  await requireInstallation(platform, viewer, 'installation.change-settings')
  const { days } = validate(auditRetentionSchema, input)
  await platform.db.$transaction(async (tx) => {
    const old = await tx.installation.upsert({ where: { id }, create: { id }, update: {} })
    await tx.installation.update({ where: { id }, data: { auditDays: days } })
    await record(tx, viewer, {
      teamId: null,
      action: 'audit.change-retention',
      before: { days: old.auditDays },
      after: { days },
    })
  })
  return { days }
}

const batch = 5_000

/** Removes entries that are older than they are kept, and writes down how many. The database refuses it for others. */
export async function expireAudit(platform: Platform): Promise<number> {
  const installation = await platform.db.installation.findUnique({ where: { id } })
  const days = installation?.auditDays ?? null
  if (days === null) return 0
  let total = 0
  for (let removed = batch; removed === batch; total += removed) {
    removed = await platform.db.$transaction(async (tx) => {
      const count = await tx.$executeRaw`
        DELETE FROM audit_events WHERE id IN (
          SELECT id FROM audit_events
          WHERE "createdAt" < (now() AT TIME ZONE 'utc') - make_interval(days => ${days}) LIMIT ${batch}
        )`
      if (count > 0)
        await record(
          tx,
          { kind: 'system' },
          {
            teamId: null,
            action: 'audit.expire',
            detail: { removed: count, days },
          },
        )
      return count
    })
  }
  return total
}
