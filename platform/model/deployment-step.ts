import { z } from 'zod'

/** The steps of a deployment in the order in which they run. */
export const stepNames = ['pull', 'start', 'check', 'route', 'retire'] as const

export type StepName = (typeof stepNames)[number]

export const stepStatuses = ['running', 'done', 'failed', 'canceled'] as const

export const deploymentStepSchema = z.object({
  name: z.enum(stepNames),
  status: z.enum(stepStatuses),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  /** One sentence for a person. */
  detail: z.string().nullable(),
})

export type DeploymentStep = z.infer<typeof deploymentStepSchema>
