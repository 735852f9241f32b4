/** From what a look at a name found to whether the team may use it. */
import { randomBytes } from 'node:crypto'
import { record } from '../audit.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import { enqueue } from '../jobs.ts'
import { type DomainCheck, isWildcard } from '../model/domains.ts'
import type { Platform } from '../open.ts'
import { announce, tellOfApp } from '../timeline.ts'
import { lockNames, requireFree, routeOf } from './claims.ts'
import { publishDomain } from './live.ts'
import { look } from './look.ts'

const day = 86_400_000
/** What nobody has shown for so long is not looked at any more, until somebody asks. */
const patienceMs = 7 * day

/** What the team's records hold. */
export async function tokenOf(tx: Transaction, teamId: string): Promise<string> {
  const select = { domainToken: true } as const
  const token = randomBytes(20).toString('hex')
  await tx.team.updateMany({ where: { id: teamId, domainToken: null }, data: { domainToken: token } })
  const { domainToken } = await tx.team.findUniqueOrThrow({ where: { id: teamId }, select })
  return domainToken ?? token
}

/** Looks at an unverified domain, keeps what was found, and verifies it when that suffices. Runs any number of times. */
export async function checkDomain(platform: Platform, id: string): Promise<void> {
  const row = await platform.db.domain.findUnique({
    where: { id },
    include: {
      app: { select: { hostId: true, name: true, projectId: true, project: { select: { teamId: true } } } },
    },
  })
  if (row === null || row.verifiedAt !== null) return
  const { teamId } = row.app.project
  const token = await tokenOf(platform.db, teamId)
  const checks = await look(platform.config, { id, name: row.name, token })
  const isOk = (step: DomainCheck['step']) =>
    checks.some((check) => check.step === step && check.status === 'ok')
  const verifiedBy = isOk('record') ? 'record' : isOk('answer') && !isWildcard(row.name) ? 'answer' : null
  const now = new Date()
  const told = await platform.db.$transaction(async (tx) => {
    await lockNames(tx)
    const claim = verifiedBy === null ? null : await claimProblem(tx, { ...row, teamId })
    if (verifiedBy !== null)
      checks.push({ step: 'claim', status: claim === null ? 'ok' : 'wrong', found: claim ?? '' })
    const isVerified = verifiedBy !== null && claim === null
    const { count } = await tx.domain.updateMany({
      where: { id, verifiedAt: null },
      data: {
        ...{ checks, checkedAt: now, nextCheckAt: isVerified ? null : nextLook(row.createdAt, now) },
        ...(isVerified ? { verifiedAt: now, verifiedBy, route: routeOf(row.name, row.pathPrefix) } : {}),
      },
    })
    if (!isVerified || count === 0) return null
    const target = { type: 'app', id: row.appId, name: row.app.name }
    const after = { [`domains.${row.name}`]: 'verified' }
    await record(tx, { kind: 'system' }, { teamId, action: 'domain.verified', target, after })
    const changes = [{ field: `domains.${row.name}`, before: null, after: 'verified' }]
    return tellOfApp(tx, { appId: row.appId, event: { kind: 'configuration.changed', changes } })
  })
  await publishDomain(platform, { teamId, appId: row.appId, projectId: row.app.projectId })
  if (told === null) return
  await announce(platform, told)
  const hostId = row.app.hostId ?? platform.config.hostId
  await enqueue(platform, hostId, 'sync-edge', { hostId })
}

async function claimProblem(
  tx: Transaction,
  claim: { appId: string; teamId: string; name: string; pathPrefix: string },
): Promise<string | null> {
  try {
    await requireFree(tx, claim)
    return null
  } catch (error) {
    if (error instanceof PlatformError) return error.fields[0]?.message ?? error.message
    throw error
  }
}

/** Every minute for an hour, then less and less often. */
export function nextLook(since: Date, now: Date): Date | null {
  const ageMs = now.getTime() - since.getTime()
  if (ageMs > patienceMs) return null
  return new Date(now.getTime() + Math.max(60_000, Math.min(ageMs / 60, 3_600_000)))
}

/** For the workers, again and again: looks at what is due. Whoever takes one puts the next look off, so one looks. */
export async function checkDueDomains(platform: Platform, signal?: AbortSignal): Promise<void> {
  const due = await platform.db.domain.findMany({
    where: {
      verifiedAt: null,
      nextCheckAt: { lte: new Date() },
      app: { project: { team: { deletedAt: null } } },
    },
    orderBy: { nextCheckAt: 'asc' },
    take: 50,
    select: { id: true, createdAt: true, nextCheckAt: true },
  })
  for (const { id, createdAt, nextCheckAt } of due) {
    if (signal?.aborted) return
    const { count } = await platform.db.domain.updateMany({
      where: { id, nextCheckAt, verifiedAt: null },
      data: { nextCheckAt: nextLook(createdAt, new Date()) },
    })
    if (count === 1) await checkDomain(platform, id)
  }
}
