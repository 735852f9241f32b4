import { z } from 'zod'
import { appSettingsSchema } from './app-settings.ts'

/** Everything that runs with a deployment, as it was when the deployment was made. */
export const deploymentSnapshotSchema = z.object({
  settings: appSettingsSchema,
  variablesVersion: z.number().int(),
  /** Values stay sealed (platform/secrets.ts) until the container is made. */
  variables: z.array(z.object({ name: z.string(), sealedValue: z.string(), isSecret: z.boolean() })),
})

export type DeploymentSnapshot = z.infer<typeof deploymentSnapshotSchema>
