/** What the event streams carry. Every event is small, self-contained and safe to see twice. */
import { z } from 'zod'
import { appStatuses } from './app-status.ts'
import { buildWaitSchema } from './builds.ts'
import { deploymentStatuses } from './deployment-status.ts'
import { deploymentStepSchema } from './deployment-step.ts'
import { failureSchema } from './failure.ts'

export const layerStates = ['waiting', 'downloading', 'verifying', 'unpacking', 'done', 'exists'] as const

export const layerProgressSchema = z.object({
  digest: z.string(),
  state: z.enum(layerStates),
  doneBytes: z.number(),
  totalBytes: z.number(),
})

/** Of one deployment: GET /deployments/{id}/events. */
export const deploymentEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('status'),
    status: z.enum(deploymentStatuses),
    failure: failureSchema.nullable(),
  }),
  z.object({ type: z.literal('step'), step: deploymentStepSchema }),
  /** All layers of the image as they stand; sent at most a few times a second. */
  z.object({ type: z.literal('layers'), layers: z.array(layerProgressSchema) }),
  z.object({ type: z.literal('message'), text: z.string() }),
  /** Its build waits for its turn; null: no more. */
  z.object({ type: z.literal('waiting'), waiting: buildWaitSchema.nullable() }),
])

/** Of a whole team: GET /teams/{id}/events. Says what changed; whoever wants more reads it. */
export const teamEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('app'), appId: z.string(), projectId: z.string(), status: z.enum(appStatuses) }),
  z.object({ type: z.literal('app-deleted'), appId: z.string(), projectId: z.string() }),
  z.object({
    type: z.literal('deployment'),
    appId: z.string(),
    deploymentId: z.string(),
    number: z.number().int(),
    status: z.enum(deploymentStatuses),
  }),
  /** Whether one of the app's names is shown, or how its certificate goes. */
  z.object({ type: z.literal('domain'), appId: z.string(), projectId: z.string() }),
  z.object({ type: z.literal('project'), projectId: z.string() }),
  z.object({ type: z.literal('repository'), repositoryId: z.string() }),
])

/** Whose rights may have changed. Whoever it concerns and holds a stream open is asked again. */
export const accessChangeSchema = z.union([
  z.object({ userId: z.string() }),
  z.object({ tokenId: z.string() }),
  z.object({ teamId: z.string() }),
])

/** One line that a container wrote: GET /apps/{id}/logs. */
export const logLineSchema = z.object({
  /** ISO 8601 with up to nanoseconds, as the container's monitor stamped it. */
  time: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
  containerId: z.string(),
  deploymentId: z.string(),
  /** `web`, or the name of another process of the app. */
  process: z.string().default('web'),
  replica: z.number().int(),
  /** Its place among the lines of its app; none is left out. */
  number: z.number().int(),
})

/** In a stream of lines: so many that were written between are not shown, or not kept any more. */
export const logGapSchema = z.object({ skipped: z.number().int().min(1) })

export type LayerProgress = z.infer<typeof layerProgressSchema>
export type DeploymentEvent = z.infer<typeof deploymentEventSchema>
export type TeamEvent = z.infer<typeof teamEventSchema>
export type AccessChange = z.infer<typeof accessChangeSchema>
export type LogLine = z.infer<typeof logLineSchema>
export type LogGap = z.infer<typeof logGapSchema>
