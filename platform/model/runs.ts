import { z } from 'zod'
import { commandSchema } from './app-settings.ts'
import { scheduleSchema, timeZoneSchema } from './cron.ts'
import { displayNameSchema } from './names.ts'

export const runStatuses = ['queued', 'running', 'succeeded', 'failed', 'canceled', 'skipped'] as const
export type RunStatus = (typeof runStatuses)[number]

/** Why a run failed or was left out. A closed set: the dashboard has words for each. */
export const runReasons = [
  'exited',
  'signal',
  'out-of-memory',
  'timeout',
  'start-failed',
  'image',
  'interrupted',
  'still-running',
  'missed',
  'quota-exceeded',
  'internal',
] as const
export type RunReason = (typeof runReasons)[number]

export const concurrencies = ['forbid', 'allow', 'replace'] as const

const time = z.iso.datetime()
export const longestRunMs = 24 * 3_600_000

const timeoutMsSchema = z
  .number()
  .int()
  .min(1_000, 'must be at least a second')
  .max(longestRunMs, 'must be at most a day')
const requiredCommandSchema = commandSchema.min(1, 'must not be empty')

export const createRunSchema = z.strictObject({
  command: requiredCommandSchema,
  timeoutMs: timeoutMsSchema.default(3_600_000),
  /** It begins when whoever asks opens a terminal with its id, and what it writes goes there, not to the log. */
  isAttached: z.boolean().default(false),
})

const cronJob = {
  name: displayNameSchema,
  schedule: scheduleSchema,
  timeZone: timeZoneSchema,
  command: requiredCommandSchema,
  concurrency: z.enum(concurrencies),
  timeoutMs: timeoutMsSchema,
  isEnabled: z.boolean(),
}

export const createCronJobSchema = z.strictObject({
  ...cronJob,
  timeZone: cronJob.timeZone.default('UTC'),
  concurrency: cronJob.concurrency.default('forbid'),
  timeoutMs: cronJob.timeoutMs.default(3_600_000),
  isEnabled: cronJob.isEnabled.default(true),
})

/** Only what is given changes. */
export const updateCronJobSchema = z.strictObject(cronJob).partial()

export const runSchema = z.object({
  id: z.string(),
  appId: z.string(),
  number: z.number().int(),
  /** Null: somebody asked for it once. */
  cronJobId: z.string().nullable(),
  cronJobName: z.string().nullable(),
  /** When the cron job was due. */
  scheduledAt: time.nullable(),
  deploymentNumber: z.number().int(),
  command: commandSchema,
  /** What it writes goes to the terminal of whoever asked for it, and is not kept. */
  isAttached: z.boolean(),
  timeoutMs: z.number().int(),
  status: z.enum(runStatuses),
  /** The name of whoever asked for it; null: its schedule. */
  by: z.string().nullable(),
  reason: z.enum(runReasons).nullable(),
  /** One sentence for a person, in English. */
  message: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  createdAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
})

export const runLogLineSchema = z.object({
  /** ISO 8601 with up to nanoseconds. */
  time: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
})

/** With the last lines that it wrote, oldest first. */
export const runDetailSchema = runSchema.extend({ log: z.array(runLogLineSchema) })

export const cronJobSchema = z.object({
  id: z.string(),
  appId: z.string(),
  ...cronJob,
  /** Null while it is switched off, or its app does not run. */
  nextAt: time.nullable(),
  lastRun: runSchema.nullable(),
  createdAt: time,
})

export type CreateRunInput = z.input<typeof createRunSchema>
export type CreateCronJobInput = z.input<typeof createCronJobSchema>
export type UpdateCronJobInput = z.input<typeof updateCronJobSchema>
export type Run = z.infer<typeof runSchema>
export type RunDetail = z.infer<typeof runDetailSchema>
export type RunLogLine = z.infer<typeof runLogLineSchema>
export type CronJob = z.infer<typeof cronJobSchema>

export function isRunOver(status: RunStatus): boolean {
  return status !== 'queued' && status !== 'running'
}
