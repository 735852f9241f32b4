/** The workers' part: what wants a certificate gets a row, what is due is attempted, by one worker at a time. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { publishName } from '../../domains/live.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import { enqueue } from '../../jobs.ts'
import { baseOf, isWildcard } from '../../model/domains.ts'
import { newId } from '../../model/ids.ts'
import type { Platform } from '../../open.ts'
import { announce, type Told, tellOfApp } from '../../timeline.ts'
import type { KeyPair } from '../authority.ts'
import { columnsOf } from '../keep.ts'
import { isLocalName } from '../local-names.ts'
import { clearLeftRecord, type LeftCertificate } from '../records/clear-left.ts'
import { openAcme } from './account.ts'
import { obtain } from './obtain.ts'
import { AttemptFailed, AttemptWaits, beginAttempt, claimMs } from './steps.ts'
import { readStoredAcme } from './stored.ts'

const atOnce = 4
const minute = 60_000
const longestWaitMs = 24 * 60 * minute
const challengeKeptMs = 24 * 60 * minute
const warnBeforeMs = 7 * 24 * 60 * minute

/** Runs again and again, on every host. Nothing is asked of an authority before a name was shown. */
export async function orderCertificates(platform: Platform, signal?: AbortSignal): Promise<void> {
  await forgetLeft(platform)
  if ((await readStoredAcme(platform.db)) === null) return
  await wantCertificates(platform)
  const due = await platform.db.certificate.findMany({
    where: {
      source: 'acme',
      dueAt: { lte: new Date() },
      OR: [{ workingUntil: null }, { workingUntil: { lt: new Date() } }],
    },
    orderBy: { dueAt: 'asc' },
    take: atOnce,
  })
  // One account for all of them; what keeps it from being made is told by each.
  if (due.length > 1) await openAcme(platform).catch(() => undefined)
  await Promise.all(due.map((row) => (signal?.aborted ? undefined : work(platform, row, signal))))
}

/** Certificates go with the last domain of their name, or when that is another team's; challenges when they are old. */
async function forgetLeft(platform: Platform): Promise<void> {
  const { db } = platform
  const left = await db.$queryRaw<LeftCertificate[]>`
    DELETE FROM certificates c WHERE c."teamId" IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM domains d JOIN apps a ON a.id = d."appId" JOIN projects p ON p.id = a."projectId"
      WHERE d.name = c.name AND d.route IS NOT NULL AND p."teamId" = c."teamId")
    RETURNING c.id, c."dnsProvider", c."order"`
  await Promise.all(left.map((each) => clearLeftRecord(platform, each)))
  await db.acmeChallenge.deleteMany({ where: { createdAt: { lt: new Date(Date.now() - challengeKeptMs) } } })
}

async function wantCertificates(platform: Platform): Promise<void> {
  const { config, db } = platform
  const rows = await db.$queryRaw<{ name: string; teamId: string }[]>`
    SELECT DISTINCT d.name, p."teamId" FROM domains d
    JOIN apps a ON a.id = d."appId" JOIN projects p ON p.id = a."projectId"
    WHERE d.route IS NOT NULL AND coalesce(a.settings->>'isPublic', 'true') = 'true'
      AND NOT EXISTS (SELECT 1 FROM certificates c WHERE c.name = d.name)`
  const { domain } = config
  const own = domain === null ? [] : [{ name: domain, teamId: null }]
  const wanted = [...rows, ...own].filter(({ name }) => !isLocalName(baseOf(name)))
  if (wanted.length === 0) return
  await db.certificate.createMany({
    data: wanted.map(({ name, teamId }) => ({
      ...{
        id: newId('certificate'),
        name,
        teamId,
        source: 'acme',
        challenge: isWildcard(name) ? 'dns-01' : 'http-01',
      },
      ...{ status: 'waiting', dueAt: new Date() },
    })),
    skipDuplicates: true,
  })
  for (const each of wanted) await publishName(platform, each)
}

interface Row {
  id: string
  name: string
  teamId: string | null
  dueAt: Date | null
  failures: number
  expiresAt: Date | null
  status: string
}

async function work(platform: Platform, row: Row, signal?: AbortSignal): Promise<void> {
  const { db, config } = platform
  const now = new Date()
  const { count } = await db.certificate.updateMany({
    where: {
      ...{ id: row.id, dueAt: row.dueAt },
      OR: [{ workingUntil: null }, { workingUntil: { lt: now } }],
    },
    data: { workingHost: config.hostId, workingUntil: new Date(now.getTime() + claimMs) },
  })
  if (count === 0) return
  const attempt = beginAttempt(platform, row)
  try {
    const pair = await obtain(platform, row, attempt, signal)
    mustBelongTogether(pair)
    await keepIssued(platform, row, pair)
    await attempt.tell('certificate', 'ok')
  } catch (error) {
    if (signal?.aborted) return
    if (error instanceof AttemptWaits) return await keepWaiting(platform, row, error)
    if (!(error instanceof AttemptFailed)) throw error
    await keepFailed(platform, row, error.message)
  } finally {
    await db.certificate.updateMany({
      where: { id: row.id },
      data: { workingHost: null, workingUntil: null },
    })
    await publishName(platform, row)
  }
}

function mustBelongTogether({ chain, key }: KeyPair): void {
  if (new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))) return
  throw new AttemptFailed('the authority sent a certificate of another key')
}

async function keepIssued(platform: Platform, row: Row, pair: KeyPair): Promise<void> {
  const columns = columnsOf(platform, row.id, pair)
  const told = await platform.db.$transaction(async (tx) => {
    const data = { ...columns, order: Prisma.DbNull }
    const { count } = await tx.certificate.updateMany({ where: { id: row.id }, data })
    if (count === 0) return null
    const expiresAt = columns.expiresAt.toISOString()
    return tellApps(tx, row, {
      kind: 'certificate.issued',
      hostname: row.name,
      ...{ expiresAt, isRenewal: row.status === 'active' },
    })
  })
  if (told === null) return
  await announce(platform, told)
  const hosts = await platform.db.host.findMany({ select: { id: true } })
  for (const { id } of hosts) await enqueue(platform, id, 'sync-edge', { hostId: id })
}

/** Whoever has to set a record for a renewal is told, once for each order. */
async function keepWaiting(
  platform: Platform,
  row: Row,
  { message, until, isForPeople }: AttemptWaits,
): Promise<void> {
  const told = await platform.db.$transaction(async (tx) => {
    await tx.certificate.updateMany({ where: { id: row.id }, data: { dueAt: until } })
    if (row.expiresAt === null || !isForPeople) return []
    const expiresAt = row.expiresAt.toISOString()
    const event = { kind: 'certificate.failed', hostname: row.name, message, expiresAt } as const
    return tellApps(tx, row, event, `${row.id}:${message}`)
  })
  await announce(platform, told)
}

async function keepFailed(platform: Platform, row: Row, message: string): Promise<void> {
  const failures = row.failures + 1
  const told = await platform.db.$transaction(async (tx) => {
    await tx.certificate.updateMany({
      where: { id: row.id },
      data: {
        failures,
        // What failed can't be answered again: the next attempt is another order.
        order: Prisma.DbNull,
        dueAt: new Date(Date.now() + waitAfter(failures)),
        // One that is served stays so, and is said to be.
        ...(row.expiresAt === null ? { status: 'failed' } : {}),
      },
    })
    const endsSoon = row.expiresAt !== null && row.expiresAt.getTime() - Date.now() < warnBeforeMs
    if (failures !== 1 && !(endsSoon && failures % 5 === 0)) return []
    const expiresAt = row.expiresAt?.toISOString() ?? null
    return tellApps(tx, row, { kind: 'certificate.failed', hostname: row.name, message, expiresAt })
  })
  await announce(platform, told)
}

/**
 * 1, 5, 25 minutes, 2 hours, … a day, each up to a fifth more: authorities count failed answers by the hour (Let's
 * Encrypt: five for a name).
 */
export function waitAfter(failures: number, random: () => number = Math.random): number {
  return Math.min(minute * 5 ** (failures - 1), longestWaitMs) * (1 + random() / 5)
}

async function tellApps(
  tx: Parameters<typeof tellOfApp>[0],
  { name, teamId }: Row,
  event: Parameters<typeof tellOfApp>[1]['event'],
  key?: string,
): Promise<Told[]> {
  if (teamId === null) return []
  const domains = await tx.domain.findMany({
    where: { name, route: { not: null }, app: { project: { teamId } } },
    distinct: ['appId'],
    select: { appId: true },
  })
  const told: Told[] = []
  for (const { appId } of domains)
    told.push(...(await tellOfApp(tx, { appId, event, ...(key === undefined ? {} : { key }) })))
  return told
}
