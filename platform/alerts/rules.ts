/** Reading and changing what an app's and a host's alert rules say. */
import { notFound, requireInstallation, type Viewer } from '../access.ts'
import { appAccess } from '../app-access.ts'
import { publishApp } from '../app-events.ts'
import { lockApp } from '../app-lock.ts'
import { record } from '../audit.ts'
import type { Transaction } from '../database.ts'
import {
  type AlertRule,
  type AlertRuleKind,
  type AlertSetting,
  alertRuleKind,
  alertSettingSchema,
  type SetAlertRuleInput,
  usualSetting,
} from '../model/alerts.ts'
import type { Platform } from '../open.ts'
import { validate } from '../validate.ts'
import { standingsOf } from './evaluate.ts'
import { type Found, fine, judge } from './judge.ts'
import { type Kept, keepVerdict, type Outcome, rounded, tellOutcome } from './keep.ts'
import { measureApps } from './measure-apps.ts'
import { measureHosts } from './measure-hosts.ts'
import { type EffectiveRule, ownerOf, type Subject, settingsOf } from './settings.ts'

/** All rules of an app, with how each stands. */
export async function listAppAlertRules(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  now = new Date(),
): Promise<AlertRule[]> {
  await appAccess(platform, viewer, appId, 'alert.read')
  return showRules(platform, { subject: 'app', id: appId }, now)
}

/** What is left away is as by default. Throws `not-found` for a rule that apps do not have. */
export async function setAppAlertRule(
  platform: Platform,
  viewer: Viewer,
  { id, rule }: { id: string; rule: string },
  input: SetAlertRuleInput,
  now = new Date(),
): Promise<AlertRule> {
  const { teamId } = await appAccess(platform, viewer, id, 'alert.write')
  const kind = kindOf('app', rule)
  const setting = validate(alertSettingSchema(kind), input)
  const outcome = await platform.db.$transaction(async (tx) => {
    const { name } = await lockApp(tx, id)
    return change(platform, tx, {
      viewer,
      of: { subject: 'app', id },
      rule,
      kind,
      setting,
      now,
      teamId,
      name,
    })
  })
  await tellOutcome(platform, outcome)
  await publishApp(platform, id)
  return showRule(platform, { subject: 'app', id }, rule, now)
}

/** All is as by default again. May be called twice. */
export async function resetAppAlertRule(
  platform: Platform,
  viewer: Viewer,
  of: { id: string; rule: string },
  now = new Date(),
): Promise<AlertRule> {
  return setAppAlertRule(platform, viewer, of, {}, now)
}

/** The same of a host, for administrators. */
export async function listHostAlertRules(
  platform: Platform,
  viewer: Viewer,
  hostId: string,
  now = new Date(),
): Promise<AlertRule[]> {
  await requireInstallation(platform, viewer, 'installation.read-hosts')
  if ((await platform.db.host.count({ where: { id: hostId } })) === 0) throw notFound('host')
  return showRules(platform, { subject: 'host', id: hostId }, now)
}

/** What is left away is as by default. Throws `not-found` for a rule that hosts do not have. */
export async function setHostAlertRule(
  platform: Platform,
  viewer: Viewer,
  { id, rule }: { id: string; rule: string },
  input: SetAlertRuleInput,
  now = new Date(),
): Promise<AlertRule> {
  await requireInstallation(platform, viewer, 'installation.manage-hosts')
  const outcome = await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM hosts WHERE id = ${id} FOR UPDATE`
    const host = await tx.host.findUnique({ where: { id }, select: { name: true } })
    if (host === null) throw notFound('host')
    const kind = kindOf('host', rule)
    const setting = validate(alertSettingSchema(kind), input)
    const of = { subject: 'host', id } as const
    return change(platform, tx, { viewer, of, rule, kind, setting, now, teamId: null, name: host.name })
  })
  await tellOutcome(platform, outcome)
  return showRule(platform, { subject: 'host', id }, rule, now)
}

/** All is as by default again. May be called twice. */
export async function resetHostAlertRule(
  platform: Platform,
  viewer: Viewer,
  of: { id: string; rule: string },
  now = new Date(),
): Promise<AlertRule> {
  return setHostAlertRule(platform, viewer, of, {}, now)
}

function kindOf(subject: Subject['subject'], rule: string): AlertRuleKind {
  const kind = alertRuleKind(subject, rule)
  if (kind === undefined) throw notFound('alert rule')
  return kind
}

interface Changing {
  viewer: Viewer
  of: Subject
  rule: string
  kind: AlertRuleKind
  setting: { isEnabled?: boolean; threshold?: number; forSeconds?: number | null }
  now: Date
  teamId: string | null
  name: string
}

/** Stores what differs. What is switched off while it fires is over at once. */
async function change(platform: Platform, tx: Transaction, changing: Changing): Promise<Outcome> {
  const { viewer, of, rule, kind, setting, now, teamId, name } = changing
  const nothing = { told: [], mailIds: [] }
  const before = await ruleOf(tx, of, rule)
  const usual = usualSetting(kind)
  const differs = <Name extends keyof AlertSetting>(field: Name) =>
    setting[field] === undefined || setting[field] === usual[field]
      ? null
      : (setting[field] as AlertSetting[Name])
  const row = {
    isEnabled: differs('isEnabled'),
    threshold: differs('threshold'),
    forSeconds: differs('forSeconds'),
  }
  const isUsual = Object.values(row).every((value) => value === null)
  const key = { subject: of.id, rule }
  if (isUsual) await tx.alertRule.deleteMany({ where: key })
  else
    await tx.alertRule.upsert({
      where: { subject_rule: key },
      create: { ...key, ...ownerOf(of), ...row },
      update: row,
    })
  const after = await ruleOf(tx, of, rule)
  if (JSON.stringify(before.setting) === JSON.stringify(after.setting)) return nothing
  const facts = ({ setting }: EffectiveRule) => ({ [rule]: { ...setting } })
  await record(tx, viewer, {
    ...{ teamId, action: isUsual ? 'alert.reset' : 'alert.write' },
    target: { type: of.subject, id: of.id, name },
    ...{ before: facts(before), after: facts(after) },
  })
  if (after.setting.isEnabled) return nothing
  const kept: Kept = (await standingsOf(tx, [of])).get(`${of.id} ${rule}`) ?? null
  if (kept === null || kept.standing.state === 'ok') return nothing
  const verdict = judge(after, kept.standing, 'unknown', now)
  return (await keepVerdict(platform, tx, { of, rule: after, kept, verdict, now })) ?? nothing
}

async function ruleOf(tx: Transaction, of: Subject, rule: string): Promise<EffectiveRule> {
  const found = (await settingsOf(tx, [of])).get(of.id)?.find((each) => each.rule === rule)
  if (found === undefined) throw notFound('alert rule')
  return found
}

async function showRule(platform: Platform, of: Subject, rule: string, now: Date): Promise<AlertRule> {
  const found = (await showRules(platform, of, now)).find((each) => each.rule === rule)
  if (found === undefined) throw notFound('alert rule')
  return found
}

async function showRules(platform: Platform, of: Subject, now: Date): Promise<AlertRule[]> {
  const rules = await settingsOf(platform.db, [of])
  const kept = await standingsOf(platform.db, [of])
  const measure = of.subject === 'app' ? measureApps : measureHosts
  const found = (await measure(platform, rules, now)).get(of.id)
  return (rules.get(of.id) ?? []).map((rule) =>
    show(rule, kept.get(`${of.id} ${rule.rule}`) ?? null, found?.get(rule.rule) ?? 'unknown', now),
  )
}

function show({ rule, kind, setting }: EffectiveRule, kept: Kept, found: Found, now: Date): AlertRule {
  const usual = usualSetting(kind)
  const { state, since, firedAt, recoveredAt } = kept?.standing ?? fine(now)
  const known = typeof found === 'object' && 'value' in found ? found : null
  return {
    ...{ rule, ...setting },
    isDefault: JSON.stringify(setting) === JSON.stringify(usual),
    default: usual,
    state: setting.isEnabled ? state : 'off',
    since: setting.isEnabled && state !== 'ok' ? since.toISOString() : null,
    value: rounded(known?.value ?? null),
    about: known?.about ?? null,
    lastFiredAt: firedAt?.toISOString() ?? null,
    lastRecoveredAt: recoveredAt?.toISOString() ?? null,
  }
}
