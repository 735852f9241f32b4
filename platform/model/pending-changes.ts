import { z } from 'zod'

/** Something that is set and not deployed yet. */
export const pendingChangeSchema = z.object({
  /** Such as settings.limits.memoryBytes, settings.processes.worker, variables.DATABASE_URL or volumes.data. */
  field: z.string(),
  /** `added`: what is live has none. */
  change: z.enum(['added', 'changed', 'removed']),
  /**
   * Where it was changed: in the app; among the variables that the environment's apps share; or in what one of its
   * variables refers to.
   */
  source: z.enum(['app', 'shared', 'reference']),
  /** The values are not shown: it is a secret, or the caller may not read variables. */
  isSecret: z.boolean(),
  /** What is live runs with it; null: it has none. */
  before: z.unknown(),
  /** What the next deployment runs with. */
  after: z.unknown(),
  /** Why the next deployment would fail with it: the end of a sentence that begins with its name. */
  problem: z.string().nullable(),
  /** Who changed it, by the name that he had then, and when; null where the app's timeline does not tell. */
  by: z.string().nullable(),
  at: z.iso.datetime().nullable(),
  /** Whether it can be put back here. What is shared is put back where it was changed. */
  canDiscard: z.boolean(),
})

export const pendingChangesSchema = z.object({
  /** What is live, which is compared with; null: nothing is, so nothing waits. */
  live: z.object({ id: z.string(), number: z.number().int() }).nullable(),
  /** A deployment that is on its way: it may have some of these changes already. */
  underWay: z.object({ id: z.string(), number: z.number().int() }).nullable(),
  /** Settings first, then variables and volumes, each by name. */
  changes: z.array(pendingChangeSchema),
})

export const discardChangesSchema = z.strictObject({
  /** Fields of pending changes; default: all that can be put back. */
  fields: z
    .array(
      z
        .string()
        .max(400)
        .regex(/^(settings|variables|volumes)\../, 'must be the field of a change, such as settings.port'),
    )
    .min(1, 'must not be empty')
    .max(600)
    .optional(),
})

export type PendingChange = z.infer<typeof pendingChangeSchema>
export type PendingChanges = z.infer<typeof pendingChangesSchema>
export type DiscardChangesInput = z.input<typeof discardChangesSchema>
