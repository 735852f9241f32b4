import { z } from 'zod'
import { imageReferenceSchema } from './app-settings.ts'
import { followSchema } from './follow.ts'

/** More than these are only counted. */
export const shownTags = 10

export const followPreviewSchema = z.strictObject({ image: imageReferenceSchema, follow: followSchema })

export type FollowPreviewInput = z.input<typeof followPreviewSchema>

/** What would be deployed now. */
export const followPreviewAnswerSchema = z.object({
  /** In Berth's own registry, which tells of pushes by itself. */
  isOwn: z.boolean(),
  /** Null: nothing fits. */
  tag: z.string().nullable(),
  digest: z.string().nullable(),
  /** The first ten tags that fit, the one that is meant first. */
  fitting: z.array(z.string()),
  fittingCount: z.number().int(),
})

export type FollowPreview = z.infer<typeof followPreviewAnswerSchema>
