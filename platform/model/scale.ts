/** How large an app runs. Its live deployment has a size of its own, which may change while it runs. */
import { z } from 'zod'
import { type AppSettings, appSettingsSchema, limitsSchema } from './app-settings.ts'

export const sizeSchema = z.object({
  replicas: z.number().int(),
  /** Of each replica. */
  memoryBytes: z.number().int(),
  /** Of each replica, in thousandths of a processor. */
  cpuMillis: z.number().int(),
})

export type Size = z.infer<typeof sizeSchema>

/** Only what is given changes. */
export const scaleAppSchema = z
  .strictObject({
    replicas: appSettingsSchema.shape.replicas.removeDefault().optional(),
    memoryBytes: limitsSchema.shape.memoryBytes.removeDefault().optional(),
    cpuMillis: limitsSchema.shape.cpuMillis.removeDefault().optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), {
    message: 'needs at least one of replicas, memoryBytes and cpuMillis',
  })

export type ScaleAppInput = z.input<typeof scaleAppSchema>

/** Why what runs could not be brought to a size; it was put back. */
export const scaleProblemSchema = z.object({
  code: z.enum(['memory-in-use', 'replica-failed', 'refused']),
  /** A sentence in English. */
  message: z.string(),
  /** How much memory the fullest replica used, where that is the reason. */
  usedBytes: z.number().int().nullable(),
})

export type ScaleProblem = z.infer<typeof scaleProblemSchema>

/** App.scaling: a change of size on its way, or the last one that could not be made. */
export const scalingSchema = z.object({
  /** Of this change: whoever asks again makes another. */
  id: z.string(),
  deploymentId: z.string(),
  from: sizeSchema,
  to: sizeSchema,
  /** Who asked, with the name as it was then. */
  by: z.object({ actor: z.string(), actorName: z.string() }),
  /** Null: it is on its way. */
  problem: scaleProblemSchema.nullable(),
})

export type Scaling = z.infer<typeof scalingSchema>

export function sizeOf({ replicas, limits }: Pick<AppSettings, 'replicas' | 'limits'>): Size {
  return { replicas, memoryBytes: limits.memoryBytes, cpuMillis: limits.cpuMillis }
}

/** The settings with this size; as they are where there is none. */
export function withSize(settings: AppSettings, size: Size | null): AppSettings {
  if (size === null) return settings
  const { replicas, memoryBytes, cpuMillis } = size
  return { ...settings, replicas, limits: { ...settings.limits, memoryBytes, cpuMillis } }
}
