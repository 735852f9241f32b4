/** What callers send. Unknown fields are refused with their names. */
import { z } from 'zod'
import { appEventAreas, appEventKinds } from './app-event-kinds.ts'
import {
  appSettingsSchema,
  healthCheckSchema,
  imageReferenceSchema,
  limitsSchema,
  releaseSchema,
} from './app-settings.ts'
import {
  displayNameSchema,
  emailSchema,
  filePathSchema,
  passwordSchema,
  slugSchema,
  variableNameSchema,
  variableValueSchema,
} from './names.ts'
import { networkSchema } from './networks.ts'
import { retentionSchema } from './retention.ts'
import { projectAccesses, roles } from './roles.ts'
import { presetNames } from './scopes.ts'
import { createVolumeSchema, maxVolumes } from './volumes.ts'

const repositoryNameSchema = z
  .string()
  .max(200)
  .regex(/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/, 'must be the name of a repository in the team, such as shop/web')

export const pageInputSchema = z.strictObject({
  cursor: z.string().max(400).optional(),
  limit: z.coerce.number().int().min(1, 'must be 1–100').max(100, 'must be 1–100').default(50),
})

export const createTeamSchema = z.strictObject({ name: displayNameSchema, slug: slugSchema.optional() })
/** Only what is given changes. Former slugs go on leading to the team. */
export const renameTeamSchema = z.strictObject({
  name: displayNameSchema.optional(),
  slug: slugSchema.optional(),
})
export const deleteTeamSchema = z.strictObject({
  /** The team's name or slug, typed by whoever means it. */
  confirm: z.string().max(100),
})

export const createProjectSchema = z.strictObject({ name: displayNameSchema, slug: slugSchema.optional() })
export const updateProjectSchema = z.strictObject({ name: displayNameSchema })

export const setVariableSchema = z.strictObject({
  name: variableNameSchema,
  value: variableValueSchema,
  isSecret: z.boolean().default(false),
  /** Containers find it in this file instead of in their environment. */
  filePath: filePathSchema.nullable().default(null),
})

export const setVariablesSchema = z.strictObject({
  /** Of those that are there already, the value may be left away: it stays. */
  set: z
    .array(setVariableSchema.extend({ value: variableValueSchema.optional() }))
    .max(500, 'must be at most 500 variables')
    .default([]),
  remove: z.array(z.string().max(128)).max(500).default([]),
})

export const importVariablesSchema = z.strictObject({
  /** As in a `.env` file: NAME=value, export, comments, quotes. */
  text: z.string().max(2_000_000, 'must be at most 2,000,000 characters'),
  /** Whether those that are new are secrets. Those that are there stay what they are. */
  areSecret: z.boolean().default(false),
})

export const createAppSchema = z
  .strictObject({
    name: displayNameSchema,
    slug: slugSchema.optional(),
    /** Slug of the environment. */
    environment: slugSchema.default('production'),
    /** Without an image: it is made of source that is sent later. */
    settings: appSettingsSchema.omit({ ports: true }).extend({ image: imageReferenceSchema.optional() }),
    variables: z.array(setVariableSchema).max(500, 'must be at most 500 variables').default([]),
    /** Its first deployment has them. */
    volumes: z.array(createVolumeSchema).max(maxVolumes, `must be at most ${maxVolumes} volumes`).default([]),
  })
  .refine(({ settings, volumes }) => settings.replicas === 1 || volumes.length === 0, {
    path: ['settings', 'replicas'],
    message: 'must be 1, since only one container may hold a volume',
  })

const settings = appSettingsSchema.shape
const limits = limitsSchema.shape
const health = healthCheckSchema.shape
const release = releaseSchema.shape

/**
 * Only what is given changes; of limits and health check too. Written out, since zod fills in the defaults of optional
 * fields as well, and an update must not bring back a default.
 */
export const updateAppSettingsSchema = z.strictObject({
  image: settings.image.optional(),
  /** Replaced as a whole. */
  follow: settings.follow.removeDefault().optional(),
  port: settings.port.removeDefault().optional(),
  isPublic: settings.isPublic.removeDefault().optional(),
  command: settings.command.removeDefault().optional(),
  release: z
    .strictObject({
      command: release.command.removeDefault().optional(),
      timeoutMs: release.timeoutMs.removeDefault().optional(),
    })
    .optional(),
  replicas: settings.replicas.removeDefault().optional(),
  limits: z
    .strictObject({
      memoryBytes: limits.memoryBytes.removeDefault().optional(),
      cpuMillis: limits.cpuMillis.removeDefault().optional(),
      pids: limits.pids.removeDefault().optional(),
    })
    .optional(),
  healthCheck: z
    .strictObject({
      path: health.path.removeDefault().optional(),
      expectedStatus: health.expectedStatus.removeDefault().optional(),
      command: health.command.removeDefault().optional(),
      intervalMs: health.intervalMs.removeDefault().optional(),
      timeoutMs: health.timeoutMs.removeDefault().optional(),
      retries: health.retries.removeDefault().optional(),
      startPeriodMs: health.startPeriodMs.removeDefault().optional(),
      observationMs: health.observationMs.removeDefault().optional(),
    })
    .optional(),
  /** Replaced as a whole; PUT /apps/{id}/processes/{name} changes one of them. */
  processes: settings.processes.removeDefault().optional(),
  rollbackOnCrash: settings.rollbackOnCrash.removeDefault().optional(),
  keptDeployments: settings.keptDeployments.removeDefault().optional(),
  stopGraceMs: settings.stopGraceMs.removeDefault().optional(),
})

export const updateAppSchema = z.strictObject({
  name: displayNameSchema.optional(),
  settings: updateAppSettingsSchema.optional(),
})

export const updateRepositorySchema = z.strictObject({
  description: z
    .string()
    .trim()
    .max(500, 'must be at most 500 characters')
    .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters')
    .optional(),
  /** Public: anybody may pull, without an account. */
  isPublic: z.boolean().optional(),
  /** What is kept; null: as the team's rules say. */
  retention: retentionSchema.nullable().optional(),
})

/** Of what a deployment may need. */
export const deleteImageSchema = z.strictObject({
  force: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
})

export const timelineFilterSchema = z.strictObject({
  /** Kinds or areas, such as deployment.failed or health. */
  kind: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => (typeof given === 'string' ? given.split(',') : given))
    .pipe(z.array(z.enum([...appEventAreas, ...appEventKinds], 'must be a kind or an area')).max(50))
    .optional(),
})

export const createDeploymentSchema = z.strictObject({
  /** Replaces the app's image, for later deployments too. */
  image: imageReferenceSchema.optional(),
  trigger: z.enum(['manual', 'api', 'redeploy', 'push']).optional(),
})

export const createTokenSchema = z.strictObject({
  name: displayNameSchema,
  /** Limits the token to one team. */
  teamId: z.string().max(64).optional(),
  role: z.enum(roles).default('developer'),
  expiresAt: z.iso
    .datetime({ offset: true, error: 'must be a time such as 2030-01-31T12:00:00Z' })
    .optional(),
  /** What it is for. One of these; without both: all that its role allows. */
  preset: z.enum(presetNames).optional(),
  actions: z
    .array(
      z
        .string()
        .max(60)
        .regex(/^(\*|[a-z-]+\.(\*|[a-z-]+)|\*\.[a-z-]+)$/, 'must be such as deployment.create'),
    )
    .min(1, 'must not be empty')
    .max(60)
    .optional(),
  /** Where one of these has something, the token reaches what they list alone. */
  projectIds: z.array(z.string().max(64)).max(100).default([]),
  appIds: z.array(z.string().max(64)).max(100).default([]),
  repositories: z.array(repositoryNameSchema).max(100).default([]),
  /** Networks that it may come from; none: any. */
  addresses: z.array(networkSchema).max(50).default([]),
})

export const inviteSchema = z.strictObject({ email: emailSchema, role: z.enum(roles).default('developer') })
export const changeRoleSchema = z.strictObject({ role: z.enum(roles) })
export const changeProjectAccessSchema = z.strictObject({ access: z.enum(projectAccesses) })

/** What a link of an invitation leads to, for somebody who has no account yet. */
export const joinSchema = z.strictObject({
  token: z.string().max(200),
  name: displayNameSchema,
  password: passwordSchema,
})

export const changePasswordSchema = z.strictObject({
  current: z.string().max(1024),
  password: passwordSchema,
})

/** That the person at an open session is its owner: the password, a code of the second factor, or both. */
export const proofSchema = z.strictObject({
  password: z.string().max(1024).default(''),
  code: z.string().max(64).default(''),
})

/** What a link for a new password leads to. */
export const resetPasswordSchema = z.strictObject({ token: z.string().max(200), password: passwordSchema })

/** Asks for a link by e-mail. */
export const askLinkSchema = z.strictObject({
  email: emailSchema,
  /** Language of the letter, for somebody who has none of his own here. */
  locale: z.string().max(20).optional(),
})

export const claimSchema = z.strictObject({
  token: z.string().max(200),
  name: displayNameSchema,
  /** What the first team is called from now on. */
  team: displayNameSchema.optional(),
  email: emailSchema,
  password: passwordSchema,
})

export const signInSchema = z.strictObject({
  email: emailSchema,
  password: z.string().max(1024),
  address: z.string().max(64),
  userAgent: z.string().nullish(),
  /** Token of the browser's cookie. */
  device: z.string().max(100).nullish(),
})

const search = z.string().trim().min(1).max(200)

/** Times as ISO 8601, or days, which begin at midnight UTC. */
const moment = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: 'must be a time such as 2030-01-31T12:00:00Z, or a day',
})

export const auditFilterSchema = z.strictObject({
  /** Id of a person (with all her tokens) or of a token, operator, system, anonymous, or part of a name. */
  actor: search.optional(),
  /** Such as app.delete, or an area such as app. */
  action: search.optional(),
  /** Id, kind (such as app) or part of the name of what it was done to. */
  target: search.optional(),
  since: moment.optional(),
  /** Before this time. */
  until: moment.optional(),
})

export const auditRetentionSchema = z.strictObject({
  /** Null: for ever. */
  days: z.number().int().min(1, 'must be 1–3,650').max(3_650, 'must be 1–3,650').nullable(),
})

export const searchSchema = z.strictObject({
  /** Part of a name or an address. */
  search: search.optional(),
})
/** Of all apps, or of those that have the text in their name or slug. */
export const appListSchema = pageInputSchema.extend(searchSchema.shape)
export const userStates = ['active', 'suspended', 'administrator'] as const
export const userFilterSchema = searchSchema.extend({ state: z.enum(userStates).optional() })
export const setAdministratorSchema = z.strictObject({ isAdmin: z.boolean() })
export const deleteUserSchema = z.strictObject({
  /** Who gets the teams that nobody else owns. */
  newOwnerId: z.string().max(64).optional(),
})
export const appointOwnerSchema = z.strictObject({ userId: z.string().max(64) })

export type PageInput = z.input<typeof pageInputSchema>
export type AppListInput = z.input<typeof appListSchema>
export type CreateTeamInput = z.input<typeof createTeamSchema>
export type DeleteTeamInput = z.input<typeof deleteTeamSchema>
export type RenameTeamInput = z.input<typeof renameTeamSchema>
export type CreateProjectInput = z.input<typeof createProjectSchema>
export type UpdateProjectInput = z.input<typeof updateProjectSchema>
export type SetVariablesInput = z.input<typeof setVariablesSchema>
export type ImportVariablesInput = z.input<typeof importVariablesSchema>
export type UpdateRepositoryInput = z.input<typeof updateRepositorySchema>
export type CreateAppInput = z.input<typeof createAppSchema>
export type UpdateAppInput = z.input<typeof updateAppSchema>
export type TimelineFilterInput = z.input<typeof timelineFilterSchema>
export type CreateDeploymentInput = z.input<typeof createDeploymentSchema>
export type CreateTokenOutput = z.output<typeof createTokenSchema>
export type CreateTokenInput = z.input<typeof createTokenSchema>
export type ChangePasswordInput = z.input<typeof changePasswordSchema>
export type InviteInput = z.input<typeof inviteSchema>
export type ChangeRoleInput = z.input<typeof changeRoleSchema>
export type ChangeProjectAccessInput = z.input<typeof changeProjectAccessSchema>
export type JoinInput = z.input<typeof joinSchema>
export type ProofInput = z.input<typeof proofSchema>
export type ResetPasswordInput = z.input<typeof resetPasswordSchema>
export type AskLinkInput = z.input<typeof askLinkSchema>
export type ClaimInput = z.input<typeof claimSchema>
export type AuditFilterInput = z.input<typeof auditFilterSchema>
export type AuditRetentionInput = z.input<typeof auditRetentionSchema>
export type SearchInput = z.input<typeof searchSchema>
export type UserFilterInput = z.input<typeof userFilterSchema>
export type DeleteUserInput = z.input<typeof deleteUserSchema>
export type AppointOwnerInput = z.input<typeof appointOwnerSchema>
export type SignInInput = z.input<typeof signInSchema>
