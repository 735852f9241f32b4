/**
 * What Berth watches of every app and host, and when it says so. All of them have these rules without a row for each:
 * only what somebody changed is stored. A rule is `ok`, `pending` (past its threshold, but not yet for long enough),
 * `firing`, or `off`.
 */
import { z } from 'zod'

export const appAlertRules = [
  'cpu',
  'memory',
  'disk',
  'restarts',
  'errors',
  'latency',
  'certificate',
] as const
export const hostAlertRules = ['cpu', 'memory', 'disk', 'silent'] as const

export type AppAlertRule = (typeof appAlertRules)[number]
export type HostAlertRule = (typeof hostAlertRules)[number]
export type AlertRuleName = AppAlertRule | HostAlertRule

export const alertRuleNames = [...new Set([...appAlertRules, ...hostAlertRules])] as AlertRuleName[]

interface Numbers {
  usual: number
  least: number
  most: number
}

export interface AlertRuleKind {
  unit: 'percent' | 'restarts' | 'milliseconds' | 'days' | 'minutes'
  threshold: Numbers
  /** Seconds: how long it has to be so, or what is counted together. Null: once it is so. */
  duration: Numbers | null
  /** Whether the duration is the time that is counted together, instead of one that has to pass. */
  isWindow: boolean
}

const day = 86_400
const percent = (usual: number) => ({ usual, least: 1, most: 100 })
const time = (usual: number, most = day) => ({ usual, least: 60, most })
/** So long the edge's numbers are kept by ten seconds. */
const edgeKept = 7_200
/** Of fewer requests no share says much: they are no reason to fire. */
export const fewestRequests = 20

const common = {
  cpu: { unit: 'percent', threshold: percent(90), duration: time(900), isWindow: false },
  memory: { unit: 'percent', threshold: percent(90), duration: time(300), isWindow: false },
  disk: { unit: 'percent', threshold: percent(85), duration: time(300), isWindow: false },
} as const satisfies Record<string, AlertRuleKind>

const ofApps: Record<AppAlertRule, AlertRuleKind> = {
  ...common,
  restarts: {
    unit: 'restarts',
    threshold: { usual: 3, least: 1, most: 1_000 },
    duration: time(600),
    isWindow: true,
  },
  errors: { unit: 'percent', threshold: percent(5), duration: time(300, edgeKept), isWindow: true },
  latency: {
    unit: 'milliseconds',
    threshold: { usual: 3_000, least: 1, most: 600_000 },
    duration: time(600, edgeKept),
    isWindow: true,
  },
  certificate: {
    unit: 'days',
    threshold: { usual: 7, least: 1, most: 90 },
    duration: null,
    isWindow: false,
  },
}

const ofHosts: Record<HostAlertRule, AlertRuleKind> = {
  ...common,
  silent: {
    unit: 'minutes',
    threshold: { usual: 2, least: 1, most: 1_440 },
    duration: null,
    isWindow: false,
  },
}

export const alertRuleKinds = { app: ofApps, host: ofHosts } as const

export type AlertSubject = keyof typeof alertRuleKinds

/** Undefined where such things have no such rule. */
export function alertRuleKind(subject: AlertSubject, rule: string): AlertRuleKind | undefined {
  const kinds: Record<string, AlertRuleKind> = alertRuleKinds[subject]
  return Object.hasOwn(kinds, rule) ? kinds[rule] : undefined
}

/** What a rule says, whether by default or since somebody chose it. */
export interface AlertSetting {
  isEnabled: boolean
  threshold: number
  forSeconds: number | null
}

export function usualSetting({ threshold, duration }: AlertRuleKind): AlertSetting {
  return { isEnabled: true, threshold: threshold.usual, forSeconds: duration?.usual ?? null }
}

function between({ least, most }: Numbers, message = `must be a whole number from ${least} to ${most}`) {
  return z.number(message).int(message).min(least, message).max(most, message)
}

/** What is left away is as by default. */
export function alertSettingSchema({ threshold, duration }: AlertRuleKind) {
  return z.strictObject({
    isEnabled: z.boolean('must be true or false').optional(),
    threshold: between(threshold).optional(),
    forSeconds:
      duration === null
        ? z.null('is not for this rule: it has no duration').optional()
        : between(
            duration,
            `must be a whole number of seconds, from 60 to ${duration.most} (${duration.most / 60} minutes)`,
          ).optional(),
  })
}

/** Of whichever rule; which numbers are good depends on it. */
export const setAlertRuleSchema = z.strictObject({
  isEnabled: z.boolean().optional(),
  threshold: z.number().int().optional(),
  forSeconds: z.number().int().nullable().optional(),
})

export type SetAlertRuleInput = z.input<typeof setAlertRuleSchema>

/** What of the app a value is of: the fullest replica or volume, the certificate that ends first. */
export const alertAboutSchema = z.union([
  z.object({ process: z.string(), replica: z.number().int() }),
  z.object({ volume: z.string() }),
  z.object({ hostname: z.string() }),
])

export type AlertAbout = z.infer<typeof alertAboutSchema>

export const alertEndings = ['recovered', 'switched-off', 'app-stopped', 'nothing-left'] as const

/** Why an alert is over. `nothing-left`: its certificate or volume is gone. */
export type AlertEnding = (typeof alertEndings)[number]

/** What events of apps carry of an alert. */
export const alertFacts = {
  rule: z.enum(alertRuleNames),
  threshold: z.number(),
  forSeconds: z.number().int().nullable(),
  /** Null where nobody knows. */
  value: z.number().nullable(),
  about: alertAboutSchema.nullable(),
}

const moment = z.iso.datetime()

export const alertRuleSchema = z.object({
  rule: z.enum(alertRuleNames),
  isEnabled: z.boolean(),
  /** Percent, restarts, milliseconds, days, or minutes, as the rule is. */
  threshold: z.number().int(),
  forSeconds: z.number().int().nullable(),
  isDefault: z.boolean(),
  default: z.object({
    isEnabled: z.boolean(),
    threshold: z.number().int(),
    forSeconds: z.number().int().nullable(),
  }),
  state: z.enum(['off', 'ok', 'pending', 'firing']),
  /** Since when it is pending or firing. */
  since: moment.nullable(),
  /** As it is now; null where nobody knows, or there is nothing of the kind. */
  value: z.number().nullable(),
  about: alertAboutSchema.nullable(),
  lastFiredAt: moment.nullable(),
  lastRecoveredAt: moment.nullable(),
})

/** One that is pending or fires. */
export const alertSchema = z.object({
  rule: z.enum(alertRuleNames),
  state: z.enum(['pending', 'firing']),
  since: moment,
  threshold: z.number().int(),
  forSeconds: z.number().int().nullable(),
  /** When it was last known, and what it was then. */
  seenAt: moment.nullable(),
  value: z.number().nullable(),
  about: alertAboutSchema.nullable(),
  app: z.object({ id: z.string(), name: z.string(), slug: z.string(), projectId: z.string() }).nullable(),
  host: z.object({ id: z.string(), name: z.string() }).nullable(),
})

export type AlertRule = z.infer<typeof alertRuleSchema>
export type Alert = z.infer<typeof alertSchema>
