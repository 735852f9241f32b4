/** How a rule stands, into the database and out of it; and who is told when it begins or ends to fire. */
import { record } from '../audit.ts'
import type { Transaction } from '../database.ts'
import { Prisma, type Alert as Row } from '../generated/prisma/client.ts'
import { hurry, post } from '../mail/outbox.ts'
import { mailLanguage } from '../mail/texts.ts'
import { type AlertAbout, alertAboutSchema } from '../model/alerts.ts'
import type { AppEvent } from '../model/app-event-kinds.ts'
import { hostAlertSentence } from '../notifications/alert-words.ts'
import type { Platform } from '../open.ts'
import { announce, type Told, tellOfApp } from '../timeline.ts'
import type { Standing, Verdict } from './judge.ts'
import { type EffectiveRule, ownerOf, type Subject } from './settings.ts'

/** Null where nothing was ever kept of the rule. */
export type Kept = { standing: Standing; revision: number } | null

export function showStanding(row: Row): Standing {
  const { since, calmSince, seenAt, value, firedAt, recoveredAt } = row
  const state = row.state === 'firing' || row.state === 'pending' ? row.state : 'ok'
  return { state, since, calmSince, seenAt, value, about: readAbout(row.about), firedAt, recoveredAt }
}

export function readAbout(json: unknown): AlertAbout | null {
  return alertAboutSchema.safeParse(json).data ?? null
}

/** What is to be done once the transaction is over. */
export interface Outcome {
  told: Told[]
  mailIds: string[]
}

/**
 * Keeps a verdict, and writes down for everybody who is to be told, in one transaction: what was kept is told, whatever
 * happens to the worker. Null when somebody else changed the rule's standing meanwhile: then nothing is done.
 */
export async function keepVerdict(
  platform: Platform,
  tx: Transaction,
  { of, rule, kept, verdict, now }: Keeping,
): Promise<Outcome | null> {
  const { about, ...columns } = verdict.after
  const data = { ...columns, about: about ?? Prisma.DbNull }
  const key = { subject: of.id, rule: rule.rule }
  const { count } =
    kept === null
      ? await tx.alert.createMany({ data: [{ ...key, ...ownerOf(of), ...data }], skipDuplicates: true })
      : await tx.alert.updateMany({
          where: { ...key, revision: kept.revision },
          data: { ...data, revision: kept.revision + 1 },
        })
  if (count === 0) return null
  if (verdict.change === null) return { told: [], mailIds: [] }
  const keeping = { of, rule, kept, verdict, now }
  return of.subject === 'app'
    ? { told: await tellApp(tx, keeping), mailIds: [] }
    : { told: [], mailIds: await tellAdministrators(platform, tx, keeping) }
}

export interface Keeping {
  of: Subject
  rule: EffectiveRule
  kept: Kept
  verdict: Verdict
  now: Date
}

/** After the transaction; never throws. */
export async function tellOutcome(platform: Platform, { told, mailIds }: Outcome): Promise<void> {
  await announce(platform, told)
  for (const id of mailIds) await hurry(platform, id)
}

function factsOf({ rule: { rule, setting }, verdict }: Keeping) {
  const { threshold, forSeconds } = setting
  return { rule, threshold, forSeconds, value: rounded(verdict.after.value), about: verdict.after.about }
}

/** As values are shown and told: to a tenth. */
export function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10
}

const lasted = ({ kept, now }: Keeping) =>
  Math.max(0, now.getTime() - (kept?.standing.firedAt ?? now).getTime())

async function tellApp(tx: Transaction, keeping: Keeping): Promise<Told[]> {
  const { of, rule, verdict, now } = keeping
  const began = verdict.after.firedAt?.getTime() ?? now.getTime()
  const facts = factsOf(keeping)
  const event: AppEvent =
    verdict.change === 'fired'
      ? { kind: 'alert.fired', ...facts }
      : ({
          ...{ kind: 'alert.recovered', ...facts },
          ...{ lastedMs: lasted(keeping), ending: verdict.ending },
        } as const)
  const key = `alert:${rule.rule}:${began}:${verdict.change}`
  return tellOfApp(tx, { appId: of.id, event, key, at: now })
}

const letterKeptMs = 24 * 3_600_000

/** Alerts of hosts belong to no team: the installation's log has them, and its administrators get letters. */
async function tellAdministrators(platform: Platform, tx: Transaction, keeping: Keeping): Promise<string[]> {
  const { of, verdict, now } = keeping
  const host = await tx.host.findUniqueOrThrow({ where: { id: of.id }, select: { name: true } })
  const { about, ...facts } = factsOf(keeping)
  const isFiring = verdict.change === 'fired'
  const end = { lastedSeconds: Math.round(lasted(keeping) / 1_000), ending: verdict.ending }
  await record(
    tx,
    { kind: 'system' },
    {
      teamId: null,
      action: isFiring ? 'host.alert-fired' : 'host.alert-recovered',
      target: { type: 'host', id: of.id, name: host.name },
      detail: { ...facts, ...(isFiring ? {} : end) },
    },
  )
  const admins = await tx.user.findMany({
    where: { isAdmin: true, disabledAt: null },
    select: { email: true, locale: true },
  })
  const ids: string[] = []
  for (const { email, locale } of admins) {
    const language = mailLanguage(locale)
    const sentence = hostAlertSentence(
      isFiring ? facts : { ...facts, lastedMs: lasted(keeping), ending: verdict.ending },
      language,
    )
    const id = await post(platform, tx, {
      ...{ kind: 'host-alert', to: email, language },
      values: { host: host.name, sentence, url: `${platform.config.publicUrl}/admin/hosts` },
      expiresAt: new Date(now.getTime() + letterKeptMs),
    })
    if (id !== null) ids.push(id)
  }
  return ids
}
