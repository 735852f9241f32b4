import { z } from 'zod'
import { factsSchema } from './facts.ts'

/** The steps of a deployment in the order in which they run. */
export const stepNames = ['build', 'pull', 'release', 'start', 'check', 'route', 'retire'] as const

export type StepName = (typeof stepNames)[number]

/** The facts that the words for what each step found are made from; null where it has nothing to say. */
export const stepFacts: Record<StepName, readonly string[] | null> = {
  build: null,
  pull: ['layers', 'sizeBytes'],
  release: null,
  start: null,
  check: ['ports'],
  route: null,
  retire: null,
}

export const stepStatuses = ['running', 'done', 'failed', 'canceled'] as const

export const deploymentStepSchema = z.object({
  name: z.enum(stepNames),
  status: z.enum(stepStatuses),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  /** One sentence for a person, in English. */
  detail: z.string().nullable(),
  /** What the sentence is made from, for those who word it in another language. */
  facts: factsSchema.default({}),
})

export type DeploymentStep = z.infer<typeof deploymentStepSchema>
