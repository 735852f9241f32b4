import { z } from 'zod'
import { appSettingsSchema } from './app-settings.ts'
import { followKinds } from './follow.ts'

/** Why a deployment came by itself: this tag was pushed, and the app follows it. */
export const followedSchema = z.object({
  tag: z.string(),
  /** What the app followed then: settings.follow. */
  by: z.enum(followKinds),
  value: z.string(),
  /** Null where nobody saw it. */
  pushedBy: z.string().nullable(),
  pushedAt: z.string().nullable(),
})

/** Everything that runs with a deployment, as it was when the deployment was made. */
export const deploymentSnapshotSchema = z.object({
  settings: appSettingsSchema,
  variablesVersion: z.number().int(),
  /** Values stay sealed (platform/secrets.ts) until the container is made. */
  variables: z.array(
    z.object({
      name: z.string(),
      sealedValue: z.string(),
      isSecret: z.boolean(),
      /** Null: in the environment. */
      filePath: z.string().nullable().default(null),
    }),
  ),
  followed: followedSchema.nullable().default(null),
  /** What `web` mounts. Null: it is older than this is written down; then, what the app has now. */
  volumes: z
    .array(z.object({ id: z.string(), name: z.string(), mountPath: z.string() }))
    .nullable()
    .default(null),
})

export type Followed = z.infer<typeof followedSchema>
export type DeploymentSnapshot = z.infer<typeof deploymentSnapshotSchema>
