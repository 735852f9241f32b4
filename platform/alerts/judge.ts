/** From a value to whether an alert fires or is over. Pure: the clock is given. */
import type { AlertAbout, AlertEnding, AlertRuleKind, AlertRuleName, AlertSetting } from '../model/alerts.ts'

/** How a rule stands, as it is kept. */
export interface Standing {
  state: 'ok' | 'pending' | 'firing'
  since: Date
  calmSince: Date | null
  seenAt: Date | null
  value: number | null
  about: AlertAbout | null
  firedAt: Date | null
  recoveredAt: Date | null
}

/** What was found out: a value; that there is nothing of the kind, and why that is; or that nobody knows. */
export type Found =
  | {
      value: number
      about: AlertAbout | null /** Of this value no more is asked. */
      thresholdAtMost?: number
    }
  | { nothing: Extract<AlertEnding, 'app-stopped' | 'nothing-left'> }
  | 'unknown'

export interface Verdict {
  after: Standing
  change: 'fired' | 'recovered' | null
  /** Of one that recovered. */
  ending: AlertEnding
}

/** What was not known for longer is no time in which it was so. */
const gapMs = 120_000
/** An alert is over once it was not so for as long as it had to be so, and at most for this long. */
const longestCalmMs = 300_000
/** A host that starts together with whoever judges gets this long to report. */
const silentHoldMs = 60_000

/** A rule that never was anything but fine. */
export function fine(now: Date): Standing {
  const nothing = {
    calmSince: null,
    seenAt: null,
    value: null,
    about: null,
    firedAt: null,
    recoveredAt: null,
  }
  return { state: 'ok', since: now, ...nothing }
}

/** Whether a value is past the threshold. */
export function isPast(rule: AlertRuleName, value: number, threshold: number): boolean {
  if (rule === 'certificate') return value < threshold
  return rule === 'restarts' ? value >= threshold : value > threshold
}

/**
 * How a rule stands after what was found. What nobody knows changes nothing: missing numbers are no recovery, and no
 * reason to fire.
 */
export function judge(
  { rule, kind, setting }: { rule: AlertRuleName; kind: AlertRuleKind; setting: AlertSetting },
  before: Standing,
  found: Found,
  now: Date,
): Verdict {
  if (!setting.isEnabled) return end(before, 'switched-off', now)
  if (found === 'unknown') return stay(before)
  if ('nothing' in found) return end(before, found.nothing, now)
  const threshold = Math.min(setting.threshold, found.thresholdAtMost ?? Number.POSITIVE_INFINITY)
  const seen = { ...before, seenAt: now, value: found.value, about: found.about }
  const wasAway = before.seenAt !== null && now.getTime() - before.seenAt.getTime() > gapMs
  const holdMs = holdOf(rule, kind, setting)
  if (isPast(rule, found.value, threshold)) {
    if (before.state === 'firing') return stay({ ...seen, calmSince: null })
    const since = before.state === 'pending' && !wasAway ? before.since : now
    if (now.getTime() - since.getTime() < holdMs) return stay({ ...seen, state: 'pending', since })
    return {
      after: { ...seen, state: 'firing', since: now, calmSince: null, firedAt: now },
      ...{ change: 'fired', ending: 'recovered' },
    }
  }
  if (before.state !== 'firing') return end(seen, 'recovered', now)
  const calmSince = before.calmSince === null || wasAway ? now : before.calmSince
  const calmMs = Math.min(kind.isWindow ? (setting.forSeconds ?? 0) * 1_000 : holdMs, longestCalmMs)
  if (now.getTime() - calmSince.getTime() < calmMs) return stay({ ...seen, calmSince })
  return end(seen, 'recovered', now)
}

function holdOf(rule: AlertRuleName, { isWindow }: AlertRuleKind, { forSeconds }: AlertSetting): number {
  if (rule === 'silent') return silentHoldMs
  return isWindow || forSeconds === null ? 0 : forSeconds * 1_000
}

function stay(after: Standing): Verdict {
  return { after, change: null, ending: 'recovered' }
}

function end(before: Standing, ending: AlertEnding, now: Date): Verdict {
  if (before.state === 'ok') return stay(before)
  const wasFiring = before.state === 'firing'
  return {
    after: {
      ...before,
      ...{ state: 'ok', since: now, calmSince: null },
      recoveredAt: wasFiring ? now : before.recoveredAt,
    },
    ...{ change: wasFiring ? 'recovered' : null, ending },
  }
}
