/** Judges every rule of every app and host, again and again. */

import { publishApp } from '../app-events.ts'
import type { Transaction } from '../database.ts'
import type { Platform } from '../open.ts'
import { type Found, fine, judge, type Verdict } from './judge.ts'
import { type Kept, keepVerdict, showStanding, tellOutcome } from './keep.ts'
import { measureApps } from './measure-apps.ts'
import { measureHosts } from './measure-hosts.ts'
import { type EffectiveRule, type Subject, settingsOf } from './settings.ts'

/** A worker that was killed is taken for gone after this long, and another one goes on. */
const turnMs = 45_000
const pageSize = 500

/**
 * One round, if it is this host's worker's turn; whoever has it keeps it. Two workers that both take themselves for the
 * one still tell everything once.
 */
export async function evaluateAlerts(platform: Platform, now = new Date()): Promise<void> {
  if (await takeTurn(platform, now)) await judgeAll(platform, now)
}

async function takeTurn({ db, config }: Platform, now: Date): Promise<boolean> {
  const id = 'installation'
  await db.installation.createMany({ data: { id }, skipDuplicates: true })
  const { count } = await db.installation.updateMany({
    where: {
      id,
      OR: [{ alertUntil: null }, { alertUntil: { lt: now } }, { alertHost: config.hostId }],
    },
    data: { alertHost: config.hostId, alertUntil: new Date(now.getTime() + turnMs) },
  })
  return count === 1
}

/** The round itself, whoever's turn it is. */
export async function judgeAll(platform: Platform, now: Date): Promise<void> {
  const { db } = platform
  const hosts = await db.host.findMany({ select: { id: true } })
  await judgeThese(
    platform,
    hosts.map(({ id }) => ({ subject: 'host', id })),
    now,
  )
  for (let after = ''; ; ) {
    const apps = await db.app.findMany({
      where: { id: { gt: after }, desiredState: { not: 'deleted' } },
      orderBy: { id: 'asc' },
      take: pageSize,
      select: { id: true },
    })
    await judgeThese(
      platform,
      apps.map(({ id }) => ({ subject: 'app', id })),
      now,
    )
    const last = apps.at(-1)
    if (last === undefined || apps.length < pageSize) return
    after = last.id
  }
}

async function judgeThese(platform: Platform, subjects: Subject[], now: Date): Promise<void> {
  const [first] = subjects
  if (first === undefined) return
  const rules = await settingsOf(platform.db, subjects)
  const kept = await standingsOf(platform.db, subjects)
  const measure = first.subject === 'app' ? measureApps : measureHosts
  const found = await measure(platform, rules, now)
  for (const of of subjects)
    for (const rule of rules.get(of.id) ?? []) {
      const before = kept.get(`${of.id} ${rule.rule}`) ?? null
      await settle(platform, { of, rule, kept: before, now }, found.get(of.id)?.get(rule.rule) ?? 'unknown')
    }
}

interface Settling {
  of: Subject
  rule: EffectiveRule
  kept: Kept
  now: Date
}

async function settle(platform: Platform, settling: Settling, found: Found): Promise<void> {
  const { of, rule, kept, now } = settling
  const before = kept?.standing ?? fine(now)
  const verdict = judge(rule, before, found, now)
  if (!isWorthKeeping(before, verdict)) return
  const outcome = await platform.db.$transaction((tx) => keepVerdict(platform, tx, { ...settling, verdict }))
  if (outcome === null || verdict.change === null) return
  await tellOutcome(platform, outcome)
  if (of.subject === 'app') await publishApp(platform, of.id)
}

/** Most rules are fine and stay so: of them nothing is written. */
function isWorthKeeping(before: { state: string }, { after }: Verdict): boolean {
  return before.state !== 'ok' || after.state !== 'ok'
}

/** What is kept of these, by id and rule. */
export async function standingsOf(
  db: Transaction,
  subjects: readonly Subject[],
): Promise<Map<string, NonNullable<Kept>>> {
  const rows = await db.alert.findMany({ where: { subject: { in: subjects.map(({ id }) => id) } } })
  return new Map(
    rows.map((row) => [
      `${row.subject} ${row.rule}`,
      { standing: showStanding(row), revision: row.revision },
    ]),
  )
}
