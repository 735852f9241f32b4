import { z } from 'zod'

/** What a version keeps of each variable. */
export const versionVariablesSchema = z.array(
  z.object({
    name: z.string(),
    sealedValue: z.string(),
    isSecret: z.boolean(),
    filePath: z.string().nullable(),
  }),
)

export type VersionVariables = z.infer<typeof versionVariablesSchema>
