import { z } from 'zod'

/** What a team may use at most, and what it uses. Builds: at once. Logs: the oldest lines go, and nothing is refused. */
export const quotaNames = [
  'apps',
  'memoryBytes',
  'cpuMillis',
  'diskBytes',
  'logBytes',
  'builds',
  'ports',
] as const

export type QuotaName = (typeof quotaNames)[number]

/** Of each so much. Memory and processors: what the wanted replicas of running apps may take together. */
export type Use = Record<QuotaName, number>

/** Null: as much as there is. */
export type Quota = Record<QuotaName, number | null>

const most = {
  apps: 100_000,
  memoryBytes: 2 ** 50,
  cpuMillis: 2 ** 31 - 1,
  diskBytes: 2 ** 53 - 1,
  logBytes: 2 ** 53 - 1,
  builds: 1_000,
  ports: 50_000,
}

const limit = (name: QuotaName) =>
  z
    .number()
    .int()
    .min(0, 'must be at least 0')
    .max(most[name], `must be at most ${most[name]}`)
    .nullable()
    .meta({ description: 'null: as much as there is' })

export const quotaSchema = z.strictObject({
  apps: limit('apps'),
  memoryBytes: limit('memoryBytes'),
  cpuMillis: limit('cpuMillis'),
  diskBytes: limit('diskBytes'),
  logBytes: limit('logBytes'),
  builds: limit('builds'),
  ports: limit('ports'),
})

/** Only what is given changes. */
export const changeQuotaSchema = quotaSchema.partial()

const amount = z.number().int()

export const teamUseSchema = z.object({
  used: z.object({
    apps: amount,
    memoryBytes: amount,
    cpuMillis: amount,
    diskBytes: amount,
    logBytes: amount,
    builds: amount,
    ports: amount,
  }),
  limits: quotaSchema,
})

export type TeamUse = z.infer<typeof teamUseSchema>
export type ChangeQuotaInput = z.input<typeof changeQuotaSchema>
