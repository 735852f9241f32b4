/** Repositories, their images, and what of them is kept, as the API shows them. */
import { z } from 'zod'
import { retentionSchema } from './retention.ts'

const time = z.iso.datetime()

export const imageUses = ['live', 'in-progress', 'rollback'] as const

/** A deployment that an image can't be taken away from. */
export const imageUseSchema = z.object({
  use: z.enum(imageUses),
  digest: z.string(),
  /** Null: an app of another team, of which no more is said. */
  app: z.object({ id: z.string(), name: z.string(), slug: z.string(), project: z.string() }).nullable(),
  deployment: z.number().int().nullable(),
})

export const repositorySchema = z.object({
  id: z.string(),
  teamId: z.string(),
  /** Below the team, such as shop/web. */
  name: z.string(),
  /** What images of it are called, without a tag: localhost:7080/acme/shop/web */
  reference: z.string(),
  description: z.string(),
  isPublic: z.boolean(),
  /** Layers that builds leave for hosts that have none of them: nobody else pulls or pushes here. */
  isBuildCache: z.boolean(),
  tagCount: z.number().int(),
  /** Of everything that its images name, each layer once. */
  sizeBytes: z.number().int(),
  lastPushedAt: time.nullable(),
  lastPulledAt: time.nullable(),
  /** Its own rules of what is kept; null: its team's. */
  retention: retentionSchema.nullable(),
  createdAt: time,
})

export const imageTagSchema = z.object({
  name: z.string(),
  digest: z.string(),
  /** Such as linux/amd64; several for an index, none for what is no image. */
  platforms: z.array(z.string()),
  /** What pulling it fetches at most: all platforms, each layer once. */
  sizeBytes: z.number().int(),
  pushedAt: time,
  pushedBy: z.string().nullable(),
  lastPulledAt: time.nullable(),
  usedBy: z.array(imageUseSchema),
})

export const repositoryImageSchema = z.object({
  digest: z.string(),
  mediaType: z.string(),
  kind: z.enum(['image', 'index', 'artifact']),
  artifactType: z.string().nullable(),
  platforms: z.array(z.string()),
  sizeBytes: z.number().int(),
  tags: z.array(z.string()),
  pushedAt: time,
  pushedBy: z.string().nullable(),
  lastPulledAt: time.nullable(),
  /** Since when nothing names it: no tag, and no index. */
  looseSince: time.nullable(),
  /** Digests of the indexes that name it. */
  partOf: z.array(z.string()),
  usedBy: z.array(imageUseSchema),
})

export const imageDetailSchema = repositoryImageSchema.extend({
  layers: z.array(z.object({ digest: z.string(), mediaType: z.string(), sizeBytes: z.number().int() })),
  /** Oldest first, as whoever built it wrote it down. */
  history: z.array(
    z.object({
      createdAt: z.string().nullable(),
      createdBy: z.string(),
      comment: z.string(),
      /** Changed no file, so it has no layer. */
      isEmpty: z.boolean(),
    }),
  ),
  /** Of an index. */
  children: z.array(
    z.object({ digest: z.string(), platform: z.string().nullable(), sizeBytes: z.number().int() }),
  ),
})

export const imagePushSchema = z.object({
  id: z.string(),
  tag: z.string(),
  digest: z.string(),
  pushedAt: time,
  pushedBy: z.string().nullable(),
})

export const registryStorageSchema = z.object({
  /** Layers and manifests that the team's repositories hold, each layer once. */
  usedBytes: z.number().int(),
  /** Of uploads under way or broken off, and of what was deleted and not collected yet. */
  looseBytes: z.number().int(),
  quotaBytes: z.number().int().nullable(),
})

/** Why something stays. */
export const retentionReasonSchema = z.discriminatedUnion('kind', [
  /** No rule is about tags. */
  z.object({ kind: z.literal('all-tags') }),
  /** One of the tags that were pushed last, counted from 1. */
  z.object({ kind: z.literal('newest'), place: z.number().int() }),
  /** Its name fits this. */
  z.object({ kind: z.literal('rule'), rule: z.string() }),
  /** A deployment needs it. */
  z.object({ kind: z.literal('use'), use: imageUseSchema }),
  /** Not without a name for long enough. Null: nothing is removed for that. */
  z.object({ kind: z.literal('untagged'), until: time.nullable() }),
])

export const retentionPlanSchema = z.object({
  /** All tags, those first that were pushed last. What no reason keeps goes. */
  tags: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      pushedAt: time,
      keptBy: z.array(retentionReasonSchema),
    }),
  ),
  /** Images that no tag and no index names now. Those that lose their last tag come here next time. */
  untagged: z.array(
    z.object({
      digest: z.string(),
      since: time,
      sizeBytes: z.number().int(),
      keptBy: z.array(retentionReasonSchema),
    }),
  ),
})

export type RetentionReason = z.infer<typeof retentionReasonSchema>
export type RetentionPlan = z.infer<typeof retentionPlanSchema>
export type ImageUse = z.infer<typeof imageUseSchema>
export type Repository = z.infer<typeof repositorySchema>
export type ImageTag = z.infer<typeof imageTagSchema>
export type RepositoryImage = z.infer<typeof repositoryImageSchema>
export type ImageDetail = z.infer<typeof imageDetailSchema>
export type ImagePush = z.infer<typeof imagePushSchema>
export type RegistryStorage = z.infer<typeof registryStorageSchema>
