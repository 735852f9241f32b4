import { z } from 'zod'

const image = z.object({ reference: z.string(), digest: z.string().nullable() })
const json: z.ZodType<unknown> = z.unknown()

/** What a rollback would change, beforehand. */
export const rollbackPlanSchema = z.object({
  /** Number of the deployment that it would go back to. */
  toNumber: z.number().int(),
  /** The one that serves; null: none does. */
  fromNumber: z.number().int().nullable(),
  image: z.object({ from: image.nullable(), to: image }),
  /** Whether the same image serves already. */
  isSameImage: z.boolean(),
  /** Whether the image is kept on the host; otherwise it is pulled again, which fails when its registry has it no more. */
  isKept: z.boolean(),
  /** Whether the app's volumes are free for new containers only once the old ones were stopped: nothing answers meanwhile. */
  stopsFirst: z.boolean(),
  /** Settings and variables that differ, by name. What may not be read is masked. */
  changes: z.array(z.object({ field: z.string(), before: json, after: json })),
})

export type RollbackPlan = z.infer<typeof rollbackPlanSchema>
