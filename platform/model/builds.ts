import { z } from 'zod'

/** A path inside the source: relative, and never out of it. */
const sourcePath = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(400, 'must be at most 400 characters')
  .refine((path) => !/[\0\n]/.test(path) && !/^[/-]/.test(path) && !path.split('/').includes('..'), {
    error: 'must be a path inside the source, such as web/Dockerfile',
  })

const variableName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name such as NODE_VERSION')

/** How an app's image is made of its source. */
export const buildSettingsSchema = z.strictObject({
  /** The part of the source that is built; null: all of it. */
  folder: sourcePath.nullable().default(null),
  /** Seen from that folder; null: Dockerfile, or Containerfile. */
  dockerfile: sourcePath.nullable().default(null),
  /** The stage to build; null: the last. */
  target: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be the name of a stage')
    .nullable()
    .default(null),
  /** Build arguments. They stay readable in the image: secrets belong in `secrets`. */
  args: z.record(variableName, z.string().max(4_096)).default({}),
  /** Names of the app's variables that steps may mount, by `RUN --mount=type=secret,id=NAME`. */
  secrets: z.array(variableName).max(50).default([]),
})

export type BuildSettings = z.infer<typeof buildSettingsSchema>

export const uploadFormats = ['tar', 'tar.gz', 'zip'] as const
export type UploadFormat = (typeof uploadFormats)[number]

/** A commit, as it is recorded with what was made of it. */
export const commitSchema = z.object({
  sha: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
  /** The first line of its message. */
  subject: z.string(),
  author: z.string(),
  at: z.iso.datetime(),
})

export type Commit = z.infer<typeof commitSchema>

export const gitRefSchema = z.object({
  kind: z.enum(['branch', 'tag', 'commit']),
  name: z.string(),
})

/** Where the archive of a build comes from: it was uploaded, fetched by Git, or pushed. */
export const buildSourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('upload') }),
  z.object({
    kind: z.literal('git'),
    /** Without any password. */
    address: z.string(),
    ref: gitRefSchema,
    /** The commit that is wanted of it; null: its newest. */
    sha: z.string().nullable(),
    /** Null until it was fetched. */
    commit: commitSchema.nullable(),
  }),
  /** To Berth's own repository of the app. */
  z.object({ kind: z.literal('push'), ref: gitRefSchema, commit: commitSchema }),
])

export type BuildSource = z.infer<typeof buildSourceSchema>

/** How large an archive of source may be. */
export const maxUploadBytes = 512 * 2 ** 20

/** Why a build has not begun: others have all places of the host or of the team, or the host's memory is short. */
export const waitReasons = ['host', 'team', 'memory'] as const

export const buildWaitSchema = z.object({
  reason: z.enum(waitReasons),
  /** How many begin before it. */
  before: z.number().int(),
})

export type BuildWait = z.infer<typeof buildWaitSchema>

/** What a deployment shows of its build. */
export const buildSchema = z.object({
  source: buildSourceSchema,
  format: z.enum(uploadFormats),
  sourceBytes: z.number(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  /** Whether layers of earlier builds were there to use; null as long as nobody knows. */
  hadCache: z.boolean().nullable(),
  waiting: buildWaitSchema.nullable(),
  /** Where the source had no Dockerfile: what it was taken for, and the one that was made for it. */
  generated: z.object({ what: z.string(), dockerfile: z.string() }).nullable(),
})

export type Build = z.infer<typeof buildSchema>

export const buildLineSchema = z.object({
  at: z.iso.datetime(),
  /** `info`: Berth's own words. */
  stream: z.enum(['stdout', 'stderr', 'info']),
  text: z.string(),
})

export type BuildLine = z.infer<typeof buildLineSchema>

export const buildLogSchema = z.object({
  lines: z.array(buildLineSchema),
  /** Nothing comes any more. */
  isComplete: z.boolean(),
})
